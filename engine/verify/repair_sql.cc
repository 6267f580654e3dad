#include "engine/verify/repair_sql.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "engine/copy/copy_session.h"

namespace walferry {
namespace {

constexpr absl::Duration kLockWait = absl::Seconds(30);

std::string ValueSql(const std::optional<std::string>& value) {
  return value.has_value() ? QuoteLiteral(*value) : "NULL";
}

std::string Table(const TablePair& table, const RepairedRow& row) {
  return row.table.empty() ? table.target.from
                           : absl::StrCat("ONLY ", row.table);
}

std::string ConditionSql(const TablePair& table, RowHash hash,
                         const RepairedRow& row) {
  std::vector<std::string> parts = {
      absl::StrCat("ctid = ", QuoteLiteral(row.ctid))};
  for (size_t i = 0; i < row.key.size(); ++i) {
    parts.push_back(
        absl::StrCat(table.target.key_texts[i], " = ", ValueSql(row.key[i])));
  }
  parts.push_back(
      absl::StrCat(RowHashSql(hash, table.target), " = ", row.hash));
  return absl::StrJoin(parts, " AND ");
}

}  // namespace

std::string RepairSettingsSql(int server_version, absl::string_view encoding,
                              bool round_floats) {
  return absl::StrCat(ValueSettingsSql(server_version, kLockWait),
                      round_floats ? "SET extra_float_digits = 0;" : "",
                      "SET synchronous_commit = 'on';SET client_encoding = ",
                      QuoteLiteral(encoding));
}

std::vector<std::string> BeginRepairSql(bool replica_role) {
  std::vector<std::string> statements = {
      "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
  if (replica_role) {
    statements.push_back("SET LOCAL session_replication_role = 'replica'");
  }
  statements.push_back("SET CONSTRAINTS ALL DEFERRED");
  return statements;
}

std::string LockTableSql(const TablePair& table) {
  std::vector<std::string> names;
  for (const TableSide::Storage& storage : table.target.storage) {
    names.push_back(absl::StrCat("ONLY ", Quote(storage.name)));
  }
  if (names.empty()) names.push_back(Quote(table.name));
  return absl::StrCat("LOCK TABLE ", absl::StrJoin(names, ", "),
                      " IN SHARE ROW EXCLUSIVE MODE");
}

std::string DeleteRowSql(const TablePair& table, RowHash hash,
                         const RepairedRow& row) {
  return absl::StrCat("DELETE FROM ", Table(table, row), " WHERE ",
                      ConditionSql(table, hash, row));
}

std::string UpdateRowSql(const TablePair& table, RowHash hash,
                         const RepairedRow& row,
                         const Assignments& assignments) {
  return absl::StrCat(
      "UPDATE ", Table(table, row), " SET ",
      absl::StrJoin(assignments, ", ",
                    [](std::string* out, const auto& assignment) {
                      absl::StrAppend(out, QuoteIdentifier(assignment.first),
                                      " = ", ValueSql(assignment.second));
                    }),
      " WHERE ", ConditionSql(table, hash, row));
}

std::string TupleSql(const ValueTexts& values) {
  return absl::StrCat("(",
                      absl::StrJoin(values, ", ",
                                    [](std::string* out, const auto& value) {
                                      absl::StrAppend(out, ValueSql(value));
                                    }),
                      ")");
}

// OVERRIDING SYSTEM VALUE: a column that is GENERATED ALWAYS AS IDENTITY would
// take no value; others take no notice of it.
std::string InsertRowsSql(const QualifiedName& table,
                          absl::Span<const std::string> columns,
                          absl::Span<const std::string> tuples) {
  if (columns.empty()) {
    return absl::StrJoin(
        std::vector<std::string>(
            tuples.size(),
            absl::StrCat("INSERT INTO ", Quote(table), " DEFAULT VALUES")),
        ";\n");
  }
  return absl::StrCat(
      "INSERT INTO ", Quote(table), " (",
      absl::StrJoin(columns, ", ",
                    [](std::string* out, const std::string& column) {
                      absl::StrAppend(out, QuoteIdentifier(column));
                    }),
      ") OVERRIDING SYSTEM VALUE VALUES\n  ", absl::StrJoin(tuples, ",\n  "));
}

}  // namespace walferry
