#ifndef PROTOCOL_COPY_TEXT_H_
#define PROTOCOL_COPY_TEXT_H_

// COPY's text format: one line per row, fields divided by tabs, \N for NULL,
// backslash escapes (COPY, "File Formats", in the PostgreSQL manual).

#include <optional>
#include <string>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Walks the fields of one row, still escaped.
//
//   CopyTextRow row(line);
//   while (!row.done()) Use(row.Next());
class CopyTextRow {
 public:
  // `line` may end with its newline; it outlives the row and its fields.
  explicit CopyTextRow(absl::string_view line ABSL_ATTRIBUTE_LIFETIME_BOUND);

  bool done() const { return done_; }

  // The next field as it stands, or nullopt for \N.
  std::optional<absl::string_view> Next();

 private:
  absl::string_view rest_;
  bool done_ = false;
};

// The value of an escaped field. A field without a backslash comes back as it
// is; any other is unescaped into `*buffer`, which the result then views.
// kDataLoss if a backslash stands last or the field holds a raw tab or newline.
absl::StatusOr<absl::string_view> UnescapeCopyText(absl::string_view field,
                                                   std::string* buffer);

// Appends `value`, escaped; nullopt appends \N.
void AppendCopyText(std::optional<absl::string_view> value, std::string* out);

}  // namespace walferry

#endif  // PROTOCOL_COPY_TEXT_H_
