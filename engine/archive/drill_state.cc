#include "engine/archive/drill_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/name_some.h"
#include "engine/schema/owned_sequences.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// In versions before 18 every constraint is enforced.
constexpr char kConstraints[] =
    "SELECT n.nspname || '.' || coalesce(r.relname, t.typname) || ' '"
    " || c.conname FROM pg_catalog.pg_constraint c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace"
    " LEFT JOIN pg_catalog.pg_class r ON r.oid = c.conrelid"
    " LEFT JOIN pg_catalog.pg_type t ON t.oid = c.contypid"
    " WHERE NOT c.convalidated AND c.conislocal AND c.conparentid = 0"
    " AND coalesce((to_jsonb(c) ->> 'conenforced')::boolean, true)"
    " ORDER BY 1";

constexpr char kIndexes[] =
    "SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i"
    " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)"
    " AND n.nspname !~ '^pg_' ORDER BY 1";

constexpr char kIndexCount[] =
    "SELECT count(*) FROM pg_catalog.pg_index i"
    " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname !~ '^pg_'";

absl::StatusOr<std::vector<std::string>> FirstColumn(PgConnection& session,
                                                     const char* sql) {
  ASSIGN_OR_RETURN(const PgResult rows, session.Exec(sql));
  std::vector<std::string> values;
  for (int row = 0; row < rows.rows(); ++row) {
    values.emplace_back(rows.Text(row, 0));
  }
  return values;
}

}  // namespace

absl::StatusOr<DrillFinding> CheckSequences(PgConnection& restored) {
  ASSIGN_OR_RETURN(const std::vector<OwnedSequence> sequences,
                   ReadOwnedSequences(restored));
  std::vector<std::string> faults;
  for (const OwnedSequence& owned : sequences) {
    ASSIGN_OR_RETURN(const std::optional<SequenceBehindColumn> behind,
                     BehindItsColumn(restored, owned));
    if (!behind.has_value()) continue;
    faults.push_back(absl::StrCat(owned.sequence, " is at ", behind->last_value,
                                  ", but ", owned.table, ".", owned.column,
                                  " goes to ", behind->extreme));
  }
  if (!faults.empty()) return DrillFinding::Failed(NameSome(faults));
  return DrillFinding::Passed(
      absl::StrCat(CountOf(sequences.size(), "sequence"),
                   " beyond the values of the columns they fill"));
}

absl::StatusOr<DrillFinding> CheckConstraints(
    PgConnection& restored,
    const std::optional<std::set<std::string>>& on_purpose) {
  ASSIGN_OR_RETURN(const std::vector<std::string> not_valid,
                   FirstColumn(restored, kConstraints));
  if (not_valid.empty())
    return DrillFinding::Passed("every constraint is valid");
  if (!on_purpose.has_value()) {
    return DrillFinding::Skipped(absl::StrCat(
        "not valid, which a plain script may want: ", NameSome(not_valid)));
  }
  std::vector<std::string> faults;
  for (const std::string& name : not_valid) {
    if (on_purpose->count(name) == 0) faults.push_back(name);
  }
  if (!faults.empty()) {
    return DrillFinding::Failed(absl::StrCat("not valid: ", NameSome(faults)));
  }
  return DrillFinding::Passed(absl::StrCat("every constraint is valid but ",
                                           NameSome(not_valid),
                                           ", which is so in the archive"));
}

absl::StatusOr<DrillFinding> CheckIndexes(PgConnection& restored) {
  ASSIGN_OR_RETURN(const std::vector<std::string> faults,
                   FirstColumn(restored, kIndexes));
  if (!faults.empty()) {
    return DrillFinding::Failed(absl::StrCat("not valid: ", NameSome(faults)));
  }
  ASSIGN_OR_RETURN(const PgResult count, restored.Exec(kIndexCount));
  ASSIGN_OR_RETURN(const int64_t indexes, count.Int64(0, 0));
  return DrillFinding::Passed(absl::StrCat(
      indexes, indexes == 1 ? " index" : " indexes", ", all valid"));
}

absl::StatusOr<DrillFinding> CheckExtensions(
    PgConnection& restored, const std::vector<std::string>& wanted) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      restored.Exec("SELECT extname, extversion FROM pg_catalog.pg_extension"
                    " ORDER BY 1"));
  std::set<std::string> present;
  std::vector<std::string> versions;
  for (int row = 0; row < rows.rows(); ++row) {
    present.emplace(rows.Text(row, 0));
    versions.push_back(absl::StrCat(rows.Text(row, 0), " ", rows.Text(row, 1)));
  }
  std::vector<std::string> missing;
  for (const std::string& name : wanted) {
    if (present.count(name) == 0) missing.push_back(name);
  }
  if (!missing.empty()) {
    return DrillFinding::Failed(absl::StrCat("missing: ", NameSome(missing)));
  }
  return DrillFinding::Passed(versions.empty() ? "none"
                                               : absl::StrJoin(versions, ", "));
}

absl::StatusOr<DrillFinding> RunSqlCheck(PgConnection& restored,
                                         const SqlCheck& check) {
  RETURN_IF_ERROR(restored.Exec("BEGIN").status());
  const absl::StatusOr<std::string> answer = restored.QueryValue(check.sql);
  if (restored.broken()) return answer.status();
  RETURN_IF_ERROR(restored.Exec("ROLLBACK").status());
  if (!answer.ok())
    return DrillFinding::Failed(std::string(answer.status().message()));
  ASSIGN_OR_RETURN(const std::string holds,
                   restored.QueryValue(
                       absl::StrCat("SELECT ", ConditionFor(check, *answer))));
  if (holds == "t") return DrillFinding::Passed(*answer);
  return DrillFinding::Failed(
      absl::StrCat(*answer, " instead of ", ExpectationText(check)));
}

}  // namespace walferry
