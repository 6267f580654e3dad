#ifndef TOOLS_TOML_FILE_H_
#define TOOLS_TOML_FILE_H_

// TOML as a value. Include only in .cc files: toml++ is large.

#include <toml++/toml.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// toml++ throws; only here. kInvalidArgument, with file and line: no TOML.
absl::StatusOr<toml::table> ParseToml(absl::string_view text,
                                      absl::string_view file_name);

// kInvalidArgument: it cannot be read.
absl::StatusOr<std::string> ReadSettingsFile(const std::string& path);

}  // namespace walferry

#endif  // TOOLS_TOML_FILE_H_
