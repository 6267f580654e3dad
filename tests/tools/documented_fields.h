#ifndef TESTS_TOOLS_DOCUMENTED_FIELDS_H_
#define TESTS_TOOLS_DOCUMENTED_FIELDS_H_

// Which fields a page of docs/ says that a JSON has, and which it has.

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/testing/built_paths.h"

namespace walferry {

// The fields of each section's tables, in their order.
inline std::map<std::string, std::vector<std::string>> DocumentedFields(
    const std::string& page) {
  std::ifstream file(absl::StrCat(TestsDirectory(), "/../docs/", page));
  EXPECT_TRUE(file) << page;
  std::map<std::string, std::vector<std::string>> fields;
  std::string section, line;
  while (std::getline(file, line)) {
    if (line.rfind("## ", 0) == 0 || line.rfind("| field of `", 0) == 0) {
      const std::vector<std::string> parts = absl::StrSplit(line, '`');
      section = parts.size() > 1 ? parts[1] : "";
    } else if (line.rfind("| `", 0) == 0) {
      const std::vector<std::string> parts = absl::StrSplit(line, '`');
      fields[section].push_back(parts[1]);
    }
  }
  return fields;
}

inline std::vector<std::string> KeysOf(const nlohmann::ordered_json& json) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}

}  // namespace walferry

#endif  // TESTS_TOOLS_DOCUMENTED_FIELDS_H_
