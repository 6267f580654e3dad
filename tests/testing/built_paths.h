#ifndef TESTS_TESTING_BUILT_PATHS_H_
#define TESTS_TESTING_BUILT_PATHS_H_

// Where the build has put what tests start and read. Only one file is compiled
// with these paths, so that a compiler cache serves every checkout.

#include <string>

namespace walferry {

std::string TestsDirectory();  // tests/ of the checkout.
std::string WalferryBinary();  // The command.
std::string EmbedExample();    // docs/example/embed.cc.

}  // namespace walferry

#endif  // TESTS_TESTING_BUILT_PATHS_H_
