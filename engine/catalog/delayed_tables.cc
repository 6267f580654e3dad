#include "engine/catalog/delayed_tables.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/name_pattern.h"
#include "engine/scope.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kOption = "delay-table-data";

absl::Status Refused(absl::string_view with, absl::string_view hint) {
  return WithHint(absl::InvalidArgumentError(
                      absl::StrCat("--", kOption, " does not go with ", with)),
                  hint);
}

}  // namespace

absl::Status CheckMayDelay(const MigrateOptions& options) {
  if (options.scope.delay_table_data.empty()) return absl::OkStatus();
  if (options.mode == MigrateMode::kOnline) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(
                        "--", kOption, " goes with --mode offline only")),
                    "an online migration's applications work on the source "
                    "until all is there");
  }
  if (options.scope.part == ScopePart::kSchema) {
    return Refused("--schema-only", "no rows are carried at all");
  }
  if (options.scope.part == ScopePart::kRows) {
    return Refused("--data-only",
                   "the tables stand on the target with all their indexes: "
                   "carry them in a later run, with --table and another "
                   "--name");
  }
  if (options.inserts) {
    return Refused("--inserts",
                   "rules of the tables, which clients have by then, would act "
                   "on the rows");
  }
  if (!options.sequence_sync) {
    return Refused("--no-sequence-sync",
                   "clients would draw numbers that rows of the source have");
  }
  return absl::OkStatus();
}

std::string DatabaseOfDelayPattern(const std::string& pattern) {
  return pattern.substr(0, pattern.find('.'));
}

absl::Status CheckDelayPatterns(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    const size_t dot = pattern.find('.');
    if (dot == std::string::npos) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat(
              kOption, " pattern \"", pattern, "\" names no database")),
          "with --all-databases it is DB.TABLE or DB.SCHEMA.TABLE, and the "
          "first dot divides; \"*\" is any database");
    }
    RETURN_IF_ERROR(
        CheckPattern(kOption, pattern, DatabaseOfDelayPattern(pattern)));
    RETURN_IF_ERROR(
        Scope::Create({.delay_table_data = {pattern.substr(dot + 1)}})
            .status());
  }
  return absl::OkStatus();
}

std::vector<std::string> DelayPatternsOf(
    const std::vector<std::string>& patterns, const std::string& database) {
  std::vector<std::string> found;
  for (const std::string& pattern : patterns) {
    if (MatchesPattern(DatabaseOfDelayPattern(pattern), database)) {
      found.push_back(pattern.substr(pattern.find('.') + 1));
    }
  }
  return found;
}

}  // namespace walferry
