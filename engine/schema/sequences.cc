#include "engine/schema/sequences.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "protocol/pg_result.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// In one statement.
constexpr size_t kBatch = 500;

struct Value {
  int64_t last_value = 0;
  bool is_called = false;

  friend bool operator==(const Value&, const Value&) = default;
};

template <typename T>
absl::StatusOr<T> Annotated(absl::StatusOr<T> result, absl::string_view what) {
  if (!result.ok()) return Annotate(result.status(), what);
  return result;
}

using Batch = absl::Span<const CatalogSequence>;

absl::StatusOr<std::vector<Value>> ReadValues(PgConnection& connection,
                                              Batch batch) {
  std::vector<std::string> selects;
  for (size_t place = 0; place < batch.size(); ++place) {
    selects.push_back(absl::StrCat("SELECT ", place,
                                   ", last_value, is_called FROM ",
                                   Quote(batch[place].name)));
  }
  ASSIGN_OR_RETURN(const PgResult rows,
                   connection.Exec(absl::StrCat(
                       absl::StrJoin(selects, " UNION ALL "), " ORDER BY 1")));
  std::vector<Value> values;
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t last_value, rows.Int64(row, 1));
    values.push_back({last_value, rows.Bool(row, 2)});
  }
  if (values.size() != batch.size()) {
    return absl::InternalError(absl::StrCat(values.size(), " values for ",
                                            batch.size(), " sequences"));
  }
  return values;
}

absl::Status SetValues(PgConnection& connection, Batch batch,
                       const std::vector<Value>& values) {
  std::vector<std::string> rows;
  for (size_t place = 0; place < batch.size(); ++place) {
    rows.push_back(absl::StrCat("(", QuoteLiteral(Quote(batch[place].name)),
                                ", ", values[place].last_value, ", ",
                                values[place].is_called ? "true" : "false",
                                ")"));
  }
  return connection
      .Exec(absl::StrCat(
          "SELECT pg_catalog.setval(v.name::pg_catalog.regclass, v.last_value,"
          " v.is_called) FROM (VALUES ",
          absl::StrJoin(rows, ", "), ") v (name, last_value, is_called)"))
      .status();
}

std::string Text(const Value& value) {
  return absl::StrCat(value.last_value, value.is_called ? "" : " (not called)");
}

absl::StatusOr<absl::flat_hash_set<QualifiedName>> Descending(
    PgConnection& connection) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec("SELECT n.nspname, c.relname FROM pg_catalog.pg_sequence"
                      " s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid"
                      " JOIN pg_catalog.pg_namespace n"
                      " ON n.oid = c.relnamespace WHERE s.seqincrement < 0"));
  absl::flat_hash_set<QualifiedName> names;
  for (int row = 0; row < rows.rows(); ++row) {
    names.insert(
        {std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1))});
  }
  return names;
}

bool Behind(const Value& one, const Value& other, bool descending) {
  if (one.last_value == other.last_value) {
    return !one.is_called && other.is_called;
  }
  return (one.last_value < other.last_value) != descending;
}

absl::Status SyncBatch(PgConnection& source, PgConnection& target,
                       Batch batch) {
  const absl::StatusOr<std::vector<Value>> wanted = ReadValues(source, batch);
  if (!wanted.ok()) {
    return Annotate(wanted.status(), "sequences of the source");
  }
  if (absl::Status set = SetValues(target, batch, *wanted); !set.ok()) {
    return Annotate(set, "sequences of the target");
  }
  const absl::StatusOr<std::vector<Value>> now = ReadValues(target, batch);
  if (!now.ok()) return Annotate(now.status(), "sequences of the target");
  for (size_t place = 0; place < batch.size(); ++place) {
    if ((*now)[place] == (*wanted)[place]) continue;
    return WithHint(
        absl::AbortedError(
            absl::StrCat("sequence ", ToDisplay(batch[place].name),
                         " was set to ", Text((*wanted)[place]),
                         " on the target but is ", Text((*now)[place]))),
        "nobody may write to the target before the cutover is done");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int64_t> SyncSequences(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences) {
  for (size_t first = 0; first < sequences.size(); first += kBatch) {
    RETURN_IF_ERROR(
        SyncBatch(source, target, Batch(sequences).subspan(first, kBatch)));
  }
  return static_cast<int64_t>(sequences.size());
}

absl::StatusOr<SequenceAdvance> AdvanceSequences(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences) {
  ASSIGN_OR_RETURN(const absl::flat_hash_set<QualifiedName> descending,
                   Annotated(Descending(target), "target"));
  SequenceAdvance advance;
  std::vector<CatalogSequence> behind;
  for (size_t first = 0; first < sequences.size(); first += kBatch) {
    const Batch batch = Batch(sequences).subspan(first, kBatch);
    ASSIGN_OR_RETURN(
        const std::vector<Value> wanted,
        Annotated(ReadValues(source, batch), "sequences of the source"));
    ASSIGN_OR_RETURN(
        const std::vector<Value> now,
        Annotated(ReadValues(target, batch), "sequences of the target"));
    for (size_t place = 0; place < batch.size(); ++place) {
      const QualifiedName& name = batch[place].name;
      if (Behind(wanted[place], now[place], descending.contains(name))) {
        advance.ahead.push_back(name);
      } else {
        behind.push_back(batch[place]);
      }
    }
  }
  ASSIGN_OR_RETURN(advance.set, SyncSequences(source, target, behind));
  return advance;
}

absl::StatusOr<bool> SequencesMatch(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences) {
  for (size_t first = 0; first < sequences.size(); first += kBatch) {
    const Batch batch = Batch(sequences).subspan(first, kBatch);
    ASSIGN_OR_RETURN(const std::vector<Value> there, ReadValues(source, batch));
    ASSIGN_OR_RETURN(const std::vector<Value> here, ReadValues(target, batch));
    if (there != here) return false;
  }
  return true;
}

}  // namespace walferry
