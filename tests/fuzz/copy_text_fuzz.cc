// Input: a row, and then, as a whole, a value.

#include "protocol/copy_text.h"

#include <optional>
#include <string>

#include "tests/fuzz/invariant.h"

namespace walferry {
namespace {

void CheckValue(absl::string_view value) {
  std::string field;
  AppendCopyText(value, &field);
  Require(field != "\\N", "text is not NULL");
  Require(field.find_first_of("\t\n\r") == std::string::npos,
          "an escaped field has no delimiter");
  std::string buffer;
  const absl::StatusOr<absl::string_view> back =
      UnescapeCopyText(field, &buffer);
  Require(back.ok() && *back == value, "unescaping inverts escaping");
}

void CheckRow(absl::string_view line) {
  size_t fields = 0;
  size_t size = 0;
  std::string buffer;
  for (CopyTextRow row(line); !row.done(); ++fields) {
    const std::optional<absl::string_view> field = row.Next();
    size += field.has_value() ? field->size() : 2;
    if (!field.has_value()) continue;
    RequireInside(*field, line);
    const absl::StatusOr<absl::string_view> value =
        UnescapeCopyText(*field, &buffer);
    if (!value.ok()) continue;
    Require(value->size() <= field->size(), "escapes never shorten");
    CheckValue(std::string(*value));
  }
  const bool newline = !line.empty() && line.back() == '\n';
  Require(fields > 0 && size + fields - 1 + (newline ? 1 : 0) == line.size(),
          "fields and delimiters are the whole line");
}

}  // namespace
}  // namespace walferry

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  walferry::CheckRow(walferry::BytesOf(data, size));
  walferry::CheckValue(walferry::BytesOf(data, size));
  return 0;
}
