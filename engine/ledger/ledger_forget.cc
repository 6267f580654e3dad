// The end of a migration's ledger.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/ledger/ledger.h"
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

}  // namespace walferry
