#ifndef TOOLS_CONFIG_FILE_H_
#define TOOLS_CONFIG_FILE_H_

// The configuration file: TOML whose keys are option names, for every command
// at the top, for one command in its section.
//
//   source = "service=old"
//   jobs = 8
//   exclude-table = ["audit.*", "tmp_*"]
//   [follow]
//   slot = "orders"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/command_table.h"
#include "tools/option_table.h"

namespace walferry {

// One key that the file sets; its value is known to be right.
struct ConfigEntry {
  OptionId option;
  std::optional<Command> section;  // nullopt: at the top.
  std::vector<std::string> texts;  // For ParseOptionValue.
  std::string where;               // "walferry.toml:7".
};

// `file_name` is only for messages. kInvalidArgument says file and line:
// malformed TOML, an unknown section or key (a hint names the nearest), a value
// that the option cannot have.
absl::StatusOr<std::vector<ConfigEntry>> ParseConfig(
    absl::string_view text, absl::string_view file_name);

// kInvalidArgument also when the file cannot be read.
absl::StatusOr<std::vector<ConfigEntry>> ReadConfigFile(
    const std::string& path);

}  // namespace walferry

#endif  // TOOLS_CONFIG_FILE_H_
