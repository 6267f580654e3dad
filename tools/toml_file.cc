#include "tools/toml_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace walferry {

absl::StatusOr<toml::table> ParseToml(absl::string_view text,
                                      absl::string_view file_name) {
  try {
    return toml::parse(std::string(text));
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat(file_name, ":", error.source().begin.line, ": ",
                     std::string(error.description())));
  }
}

absl::StatusOr<std::string> ReadSettingsFile(const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(path.c_str(), "rb"), std::fclose);
  std::string text;
  char chunk[4096];
  size_t size = 0;
  while (file && (size = std::fread(chunk, 1, sizeof chunk, file.get())) > 0) {
    text.append(chunk, size);
  }
  if (!file || std::ferror(file.get())) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  return text;
}

}  // namespace walferry
