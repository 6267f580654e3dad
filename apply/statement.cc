#include "apply/statement.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

constexpr absl::string_view kAnd = " AND ";

// As the type's output function prints it. A cast to text may be another
// function: it takes the blanks from the end of a char(n).
std::string Printed(absl::string_view expression) {
  return absl::StrCat("pg_catalog.concat(", expression,
                      ") COLLATE pg_catalog.\"C\"");
}

// Builds one statement: parameters get their numbers as the text needs them.
class Builder {
 public:
  Builder(const TableMapping& table, const ChangeShape& shape)
      : table_(table),
        shape_(shape),
        name_(Quote(table.target.name)),
        from_(absl::StrCat(table.target.partitioned ? "" : "ONLY ", name_)) {}

  Statement Insert();
  Statement Update();
  Statement Delete();
  // Deletes the row and inserts it with new values. What the change does not
  // say (unchanged values, columns of the target's own) comes from the old row.
  Statement Reinsert();

 private:
  std::string Name(size_t column) const {
    return QuoteIdentifier(table_.TargetOf(column).name);
  }
  std::string Parameter(bool old_row, size_t column) {
    parameters_.push_back({.old_row = old_row, .column = column});
    return absl::StrCat("$", parameters_.size());
  }
  Statement Finish(std::string sql);

  struct Lookup {
    std::vector<std::string> conditions;
    // True for the rows that not only are equal but look alike.
    std::vector<std::string> alike;
  };

  // " WHERE ..." for the one row that the change is about.
  std::string Where();
  Lookup LookupConditions();
  // " AND ...": that the row's identity columns have (or have not) the new
  // values already. Empty if the shape knows that.
  std::string AndIdentity(bool has_new_values);

  const TableMapping& table_;
  const ChangeShape& shape_;
  const std::string name_;
  const std::string from_;
  std::vector<StatementParameter> parameters_;
};

Statement Builder::Finish(std::string sql) {
  Statement statement{.sql = std::move(sql),
                      .parameters = std::move(parameters_)};
  if (!shape_.binary) return statement;
  for (const StatementParameter& parameter : statement.parameters) {
    statement.types.push_back(table_.source.columns[parameter.column].type_oid);
  }
  return statement;
}

Statement Builder::Insert() {
  std::vector<std::string> names;
  std::vector<std::string> values;
  bool identity_always = false;
  for (const size_t column : table_.FilledColumns()) {
    identity_always |= table_.TargetOf(column).identity_always;
    names.push_back(Name(column));
    values.push_back(Parameter(false, column));
  }
  if (names.empty()) {
    return Finish(absl::StrCat("INSERT INTO ", name_, " DEFAULT VALUES"));
  }
  return Finish(absl::StrCat("INSERT INTO ", name_, " (",
                             absl::StrJoin(names, ", "), ")",
                             identity_always ? " OVERRIDING SYSTEM VALUE" : "",
                             " VALUES (", absl::StrJoin(values, ", "), ")"));
}

Statement Builder::Update() {
  std::vector<std::string> assignments;
  for (size_t column = 0; column < table_.source.columns.size(); ++column) {
    const TargetColumn& target = table_.TargetOf(column);
    if (target.generated || target.identity_always) continue;
    if (shape_.unchanged.Contains(column)) continue;
    assignments.push_back(
        absl::StrCat(Name(column), " = ", Parameter(false, column)));
  }
  std::string where = Where();
  where += AndIdentity(/*has_new_values=*/true);
  if (assignments.empty()) {
    // Nothing to set, but the row must be there.
    return Finish(
        absl::StrCat("SELECT 1 FROM ", from_, where, " FOR NO KEY UPDATE"));
  }
  return Finish(absl::StrCat("UPDATE ", from_, " SET ",
                             absl::StrJoin(assignments, ", "), where));
}

Statement Builder::Delete() {
  return Finish(absl::StrCat("DELETE FROM ", from_, Where()));
}

Statement Builder::Reinsert() {
  std::vector<std::string> sent(table_.target.columns.size());
  for (size_t column = 0; column < table_.source.columns.size(); ++column) {
    if (shape_.unchanged.Contains(column)) continue;
    const TargetColumn& target = table_.TargetOf(column);
    if (target.generated) continue;
    sent[table_.target_columns[column]] =
        absl::StrCat(Parameter(false, column), "::", target.type);
  }
  std::vector<std::string> names;
  std::vector<std::string> values;
  std::vector<std::string> kept;
  for (size_t index = 0; index < sent.size(); ++index) {
    const TargetColumn& column = table_.target.columns[index];
    if (column.generated) continue;
    names.push_back(QuoteIdentifier(column.name));
    if (sent[index].empty()) {
      kept.push_back(names.back());
      values.push_back(absl::StrCat("old.", names.back()));
    } else {
      values.push_back(sent[index]);
    }
  }
  std::string where = Where();
  where += AndIdentity(/*has_new_values=*/false);
  return Finish(absl::StrCat(
      "WITH old AS (DELETE FROM ", from_, where, " RETURNING ",
      kept.empty() ? "1" : absl::StrJoin(kept, ", "), ") INSERT INTO ", name_,
      " (", absl::StrJoin(names, ", "), ") OVERRIDING SYSTEM VALUE SELECT ",
      absl::StrJoin(values, ", "), " FROM old"));
}

std::string Builder::Where() {
  const Lookup lookup = LookupConditions();
  std::string conditions = absl::StrJoin(lookup.conditions, kAnd);
  if (table_.lookup_is_key) return absl::StrCat(" WHERE ", conditions);
  if (!conditions.empty()) conditions.insert(0, " WHERE ");
  if (!lookup.alike.empty()) {
    absl::StrAppend(&conditions, " ORDER BY ",
                    absl::StrJoin(lookup.alike, kAnd), " DESC");
  }
  const bool partitioned = table_.target.partitioned;
  return absl::StrCat(" WHERE ", partitioned ? "(tableoid, ctid)" : "ctid",
                      " = (SELECT ", partitioned ? "tableoid, ctid" : "ctid",
                      " FROM ", from_, conditions, " LIMIT 1 FOR UPDATE)");
}

Builder::Lookup Builder::LookupConditions() {
  Lookup lookup;
  for (const size_t column : table_.lookup) {
    const std::string name = Name(column);
    if (shape_.null_lookup.Contains(column)) {
      // Not IS NULL: that is also true for a composite of NULLs.
      lookup.conditions.push_back(
          absl::StrCat(name, " IS NOT DISTINCT FROM NULL"));
      continue;
    }
    const TargetColumn& target = table_.TargetOf(column);
    // Operators for all enums or arrays do not see through a domain.
    const std::string stored = target.type == target.base_type
                                   ? name
                                   : absl::StrCat(name, "::", target.base_type);
    const std::string value = absl::StrCat(
        Parameter(shape_.found_by_old_row, column), "::", target.base_type);
    const std::string looks_alike = absl::StrCat(
        Printed(stored), " OPERATOR(pg_catalog.=) ", Printed(value));
    if (target.equality.empty()) {
      // concat() prints NULL like an empty value.
      lookup.conditions.push_back(absl::StrCat(name, " IS DISTINCT FROM NULL"));
      lookup.conditions.push_back(looks_alike);
      continue;
    }
    lookup.conditions.push_back(
        absl::StrCat(stored, " ", target.equality, " ", value));
    if (!table_.lookup_is_key && !target.equal_is_identical) {
      lookup.alike.push_back(looks_alike);
    }
  }
  return lookup;
}

std::string Builder::AndIdentity(bool has_new_values) {
  if (shape_.identity_change != IdentityChange::kUnknown) return "";
  std::vector<std::string> conditions;
  for (size_t column = 0; column < table_.source.columns.size(); ++column) {
    const TargetColumn& target = table_.TargetOf(column);
    if (!target.identity_always || shape_.unchanged.Contains(column)) continue;
    conditions.push_back(absl::StrCat(Name(column), " ", target.equality, " ",
                                      Parameter(false, column),
                                      "::", target.base_type));
  }
  const std::string all = absl::StrJoin(conditions, kAnd);
  return has_new_values ? absl::StrCat(kAnd, all)
                        : absl::StrCat(kAnd, "NOT (", all, ")");
}

}  // namespace

std::vector<Statement> BuildStatements(const TableMapping& table,
                                       const ChangeShape& shape) {
  const auto builder = [&] { return Builder(table, shape); };
  switch (shape.kind) {
    case ChangeKind::kInsert:
      return {builder().Insert()};
    case ChangeKind::kDelete:
      return {builder().Delete()};
    case ChangeKind::kUpdate:
      switch (shape.identity_change) {
        case IdentityChange::kNo:
          return {builder().Update()};
        case IdentityChange::kYes:
          return {builder().Reinsert()};
        case IdentityChange::kUnknown:
          // One of the two finds the row.
          return {builder().Update(), builder().Reinsert()};
      }
      return {};
    case ChangeKind::kTruncate:
      return {};
  }
  return {};
}

std::string BuildTruncate(absl::Span<const TargetTable* const> tables,
                          bool restart_identity) {
  return absl::StrCat(
      "TRUNCATE ",
      absl::StrJoin(tables, ", ",
                    [](std::string* out, const TargetTable* table) {
                      absl::StrAppend(out, table->partitioned ? "" : "ONLY ",
                                      Quote(table->name));
                    }),
      restart_identity ? " RESTART IDENTITY" : " CONTINUE IDENTITY",
      " RESTRICT");
}

}  // namespace walferry
