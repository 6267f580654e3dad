#ifndef PROTOCOL_OVERLOADED_H_
#define PROTOCOL_OVERLOADED_H_

// Several lambdas as one visitor of a std::variant.

namespace walferry {

//   std::visit(Overloaded{[](const Begin&) {...}, [](const Commit&) {...}},
//              message);
template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace walferry

#endif  // PROTOCOL_OVERLOADED_H_
