// The end of a migration's ledger.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/no_such_migration.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

absl::Status Ledger::Forget() {
  RETURN_IF_ERROR(connection_.Exec("BEGIN").status());
  const absl::Status forgotten = ForgetInTransaction();
  if (forgotten.ok()) return connection_.Exec("COMMIT").status();
  if (!connection_.broken()) {
    RETURN_IF_ERROR(connection_.Exec("ROLLBACK").status());
  }
  return forgotten;
}

absl::Status Ledger::ForgetInTransaction() {
  // Nobody begins a migration until it is known whether this was the last one.
  // Steps that others work on hold weaker locks.
  RETURN_IF_ERROR(
      connection_
          .Exec(absl::StrCat("LOCK TABLE ", Table("migration"),
                             " IN SHARE ROW EXCLUSIVE MODE; DELETE FROM ",
                             Table("stream"), " WHERE name = ", Name(),
                             "; DELETE FROM ", Table("migration"),
                             " WHERE name = ", Name()))
          .status());
  ASSIGN_OR_RETURN(const std::string others,
                   connection_.QueryValue(absl::StrCat("SELECT count(*) FROM ",
                                                       Table("migration"))));
  if (others != "0") return absl::OkStatus();
  RETURN_IF_ERROR(
      connection_
          .Exec(absl::StrCat(
              // Not there in an older walferry's ledger.
              "DROP TABLE IF EXISTS ", Table("table_counts"), ", ",
              Table("meeting"), "; DROP TABLE ",
              absl::StrJoin({Table("copy_range"), Table("table_copy"),
                             Table("step"), Table("object"), Table("stream"),
                             Table("migration"), Table("version")},
                            ", ")))
          .status());
  // Somebody else's objects in the schema keep it alive.
  ASSIGN_OR_RETURN(
      const std::string rest,
      connection_.QueryValue(absl::StrCat(
          "SELECT count(*) FROM pg_depend WHERE refclassid = "
          "'pg_namespace'::regclass AND refobjid = (SELECT oid FROM "
          "pg_namespace WHERE nspname = ",
          QuoteLiteral(sql_.key().schema), ")")));
  if (rest != "0") return absl::OkStatus();
  return connection_
      .Exec(absl::StrCat("DROP SCHEMA IF EXISTS ",
                         QuoteIdentifier(sql_.key().schema)))
      .status();
}

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
  return MigrationsThat(target, ledger_schema, "report IS NULL");
}

absl::Status NoSuchMigration(PgConnection& target, const LedgerKey& key) {
  ASSIGN_OR_RETURN(const std::vector<std::string> others,
                   MigrationsThat(target, key.schema, "true"));
  std::string hint = "check --target, --name and --ledger-schema";
  if (!others.empty()) {
    absl::StrAppend(&hint, ": it has ", absl::StrJoin(others, ", "));
  }
  return WithHint(absl::NotFoundError(absl::StrCat(
                      "target: there is no migration ", key.migration,
                      " in ledger schema ", key.schema)),
                  hint);
}

}  // namespace walferry
