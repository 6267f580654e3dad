#include "engine/ledger/ledger_content.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Nullopt: the ledger has no such table.
absl::StatusOr<std::optional<PgResult>> AskIfThere(
    PgConnection& target, const std::string& ledger_schema,
    absl::string_view table, absl::string_view columns,
    absl::string_view behind) {
  const std::string name =
      absl::StrCat(QuoteIdentifier(ledger_schema), ".", table);
  ASSIGN_OR_RETURN(
      const std::string found,
      target.QueryValue(absl::StrCat("SELECT to_regclass(", QuoteLiteral(name),
                                     ") IS NOT NULL")));
  if (found != "t") return std::nullopt;
  return target.Exec(
      absl::StrCat("SELECT ", columns, " FROM ", name, " ", behind));
}

absl::StatusOr<std::vector<std::string>> MigrationsThat(
    PgConnection& target, const std::string& ledger_schema,
    absl::string_view condition) {
  ASSIGN_OR_RETURN(
      const std::optional<PgResult> rows,
      AskIfThere(target, ledger_schema, "migration", "name",
                 absl::StrCat("WHERE ", condition, " ORDER BY name")));
  std::vector<std::string> names;
  for (int row = 0; rows.has_value() && row < rows->rows(); ++row) {
    names.emplace_back(rows->Text(row, 0));
  }
  return names;
}

}  // namespace

absl::Status CheckNothingToUndo(PgConnection& target,
                                const std::string& ledger_schema) {
  ASSIGN_OR_RETURN(
      const std::optional<PgResult> rows,
      AskIfThere(target, ledger_schema, "object", "migration, kind, identity",
                 "ORDER BY recorded_at LIMIT 1"));
  if (!rows.has_value() || rows->rows() == 0) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("target: database ", target.dbname(),
                       " holds the ledger of migration ", rows->Text(0, 0),
                       ", whose ", rows->Text(0, 1), " ", rows->Text(0, 2),
                       " would be forgotten if it were dropped")),
      absl::StrCat("first: walferry cleanup --name ", rows->Text(0, 0)));
}

absl::StatusOr<std::vector<std::string>> UnfinishedMigrations(
    PgConnection& target, const std::string& ledger_schema) {
  // A move of all databases may end without a report of its own.
  return MigrationsThat(target, ledger_schema,
                        "report IS NULL AND phase <> 'done'");
}

absl::StatusOr<std::vector<std::string>> MigrationsThatFollow(
    PgConnection& target, const std::string& ledger_schema) {
  return MigrationsThat(target, ledger_schema,
                        "report IS NULL AND kind = 'migrate' AND slot <> ''");
}

absl::StatusOr<std::vector<std::string>> KnownMigrations(
    PgConnection& target, const std::string& ledger_schema) {
  return MigrationsThat(target, ledger_schema, "true");
}

absl::Status NoSuchMigration(PgConnection& target, const LedgerKey& key,
                             absl::string_view advice) {
  ASSIGN_OR_RETURN(const std::vector<std::string> known,
                   KnownMigrations(target, key.schema));
  std::string hint = "check --target, --name and --ledger-schema";
  if (!known.empty()) {
    absl::StrAppend(&hint, ": it has ", absl::StrJoin(known, ", "));
  }
  if (!advice.empty()) absl::StrAppend(&hint, "; ", advice);
  return WithHint(absl::NotFoundError(absl::StrCat(
                      "target: there is no migration ", key.migration,
                      " in ledger schema ", key.schema)),
                  hint);
}

}  // namespace walferry
