#include "tools/part_option.h"

#include "protocol/status.h"

namespace walferry {

absl::StatusOr<ScopePart> BindPart(const OptionValues& values) {
  const bool schema = values.Flag(OptionId::kSchemaOnly);
  const bool rows = values.Flag(OptionId::kDataOnly);
  if (schema && rows) {
    return WithHint(absl::InvalidArgumentError(
                        "--schema-only and --data-only exclude each other"),
                    "leave both out for everything");
  }
  if (schema) return ScopePart::kSchema;
  return rows ? ScopePart::kRows : ScopePart::kAll;
}

}  // namespace walferry
