#include "engine/archive/script_start.h"

#include "absl/strings/match.h"

namespace walferry {
namespace {

constexpr int kKnowsTimeout = 170000;
constexpr absl::string_view kTimeout = "SET transaction_timeout = 0;";

// Of what stands before the first object.
bool IsSetting(absl::string_view line) {
  return absl::StartsWith(line, "SET ") ||
         absl::StartsWith(line, "SELECT pg_catalog.set_config(") ||
         absl::StartsWith(line, "\\restrict ");
}

}  // namespace

ScriptStart StartOfScript(absl::string_view beginning, int server_version) {
  if (server_version >= kKnowsTimeout) return {};
  ScriptStart start;
  size_t at = 0;
  for (size_t end = beginning.find('\n'); end != absl::string_view::npos;
       end = beginning.find('\n', at)) {
    const absl::string_view line = beginning.substr(at, end - at);
    at = end + 1;
    ++start.lines;
    if (line == kTimeout) {
      start.offset = static_cast<int64_t>(at);
      return start;
    }
    if (line.empty() || absl::StartsWith(line, "--")) continue;
    if (!IsSetting(line)) return {};
    start.commands.emplace_back(line);
  }
  return {};
}

}  // namespace walferry
