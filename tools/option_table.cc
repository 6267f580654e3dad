#include "tools/option_table.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tools/option_commands.h"
#include "tools/option_rows_archive.h"
#include "tools/option_rows_capture.h"
#include "tools/option_rows_copy.h"
#include "tools/option_rows_output.h"
#include "tools/option_rows_scope.h"
#include "tools/option_rows_server.h"
#include "tools/option_rows_stream.h"
#include "tools/option_rows_verify.h"

namespace walferry {
namespace {

template <size_t... kSizes>
constexpr auto Join(const OptionSpec (&... parts)[kSizes]) {
  std::array<OptionSpec, (kSizes + ...)> all = {};
  size_t end = 0;
  const auto append = [&](const OptionSpec* rows, size_t count) {
    for (size_t row = 0; row < count; ++row) all[end++] = rows[row];
  };
  (append(parts, kSizes), ...);
  return all;
}

constexpr auto kOptions =
    Join(kScopeRows, kCopyRows, kServerRows, kStreamRows, kVerifyRows,
         kCaptureRows, kArchiveRows, kOutputRows);

constexpr bool InOrderOfEnumerators() {
  for (size_t row = 0; row < kOptions.size(); ++row) {
    if (static_cast<size_t>(kOptions[row].id) != row) return false;
  }
  return kOptions.size() == kOptionCount;
}
static_assert(InOrderOfEnumerators(), "SpecOf() looks up by position");

}  // namespace

absl::Span<const OptionSpec> Options() { return kOptions; }

const OptionSpec& SpecOf(OptionId id) {
  return kOptions[static_cast<size_t>(id)];
}

const OptionSpec* FindOption(absl::string_view name) {
  for (const OptionSpec& spec : kOptions) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

absl::string_view GroupTitle(OptionGroup group) {
  switch (group) {
    case OptionGroup::kConnection:
      return "Connections";
    case OptionGroup::kScope:
      return "What is moved";
    case OptionGroup::kCopy:
      return "Schema and copy";
    case OptionGroup::kServer:
      return "Whole servers";
    case OptionGroup::kStream:
      return "Following changes";
    case OptionGroup::kCutover:
      return "Cutover";
    case OptionGroup::kVerify:
      return "Proof";
    case OptionGroup::kCapture:
      return "Files";
    case OptionGroup::kArchive:
      return "Archives";
    case OptionGroup::kOutput:
      return "Output";
    case OptionGroup::kGeneral:
      return "General";
  }
  return "";
}

std::string EnvironmentName(const OptionSpec& spec) {
  if (spec.reach == OptionReach::kFlag) return "";
  return absl::StrCat("WALFERRY_", absl::AsciiStrToUpper(absl::StrReplaceAll(
                                       spec.name, {{"-", "_"}})));
}

CommandSet ConfigurableCommands() { return kEngine & ~SetOf(Command::kConfig); }

}  // namespace walferry
