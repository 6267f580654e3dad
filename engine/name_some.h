#ifndef ENGINE_NAME_SOME_H_
#define ENGINE_NAME_SOME_H_

// Lists in sentences, short however long they are.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace walferry {

// "a", "a, b", "a, b, c, d, e and 7 more".
std::string NameSome(const std::vector<std::string>& names);

// "1 table", "3 tables".
std::string CountOf(int64_t number, absl::string_view singular);

}  // namespace walferry

#endif  // ENGINE_NAME_SOME_H_
