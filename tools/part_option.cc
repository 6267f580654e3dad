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

absl::Status CheckDropAndPart(const OptionValues& values) {
  if (!values.Flag(OptionId::kDropTargetFirst) ||
      !values.Flag(OptionId::kDataOnly)) {
    return absl::OkStatus();
  }
  return WithHint(absl::InvalidArgumentError(
                      "--drop-target-first and --data-only exclude each other"),
                  "a database that was dropped has no tables for the rows");
}

}  // namespace walferry
