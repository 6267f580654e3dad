#include "engine/copy/table_lift.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/connect/xid_snapshot.h"
#include "engine/copy/table_copy.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Rows that were fetched, before they go into their table.
constexpr absl::string_view kStage = "pg_temp.walferry_rows";

std::string ColumnList(const CatalogTable& table) {
  return absl::StrJoin(table.StoredColumns(), ", ",
                       [](std::string* out, const std::string& column) {
                         out->append(QuoteIdentifier(column));
                       });
}

// "t.a = k.a AND t.b = k.b".
std::string SameKey(const std::vector<KeyColumn>& key) {
  return absl::StrJoin(
      key, " AND ", [](std::string* out, const KeyColumn& column) {
        const std::string name = QuoteIdentifier(column.name);
        absl::StrAppend(out, "t.", name, " ", column.equals, " k.", name);
      });
}

}  // namespace

std::vector<LedgerRange> Merged(std::vector<LedgerRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const LedgerRange& a, const LedgerRange& b) {
              return a.first_block < b.first_block;
            });
  std::vector<LedgerRange> merged;
  for (const LedgerRange& range : ranges) {
    if (!merged.empty() && merged.back().end_block == range.first_block) {
      merged.back().end_block = range.end_block;
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

absl::StatusOr<std::vector<KeyColumn>> ReadKey(PgConnection& source,
                                               const CatalogTable& table) {
  const bool by_index = table.identity == ReplicaIdentity::kIndex;
  ASSIGN_OR_RETURN(
      const PgResult rows,
      source.Exec(absl::StrCat(
          "SELECT a.attname, quote_ident(n.nspname), o.oprname FROM pg_index i "
          "CROSS JOIN LATERAL generate_series(0, i.indnkeyatts - 1) AS k "
          "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = "
          "i.indkey[k] "
          "JOIN pg_opclass c ON c.oid = i.indclass[k] "
          "JOIN pg_amop e ON e.amopfamily = c.opcfamily AND e.amoplefttype = "
          "c.opcintype AND e.amoprighttype = c.opcintype AND e.amopstrategy = "
          "3 "
          "JOIN pg_operator o ON o.oid = e.amopopr "
          "JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE i.indrelid = ",
          table.oid, by_index ? " AND i.indisreplident" : " AND i.indisprimary",
          " ORDER BY k")));
  std::vector<KeyColumn> key;
  std::set<std::string> names;
  for (int row = 0; row < rows.rows(); ++row) {
    key.push_back({.name = std::string(rows.Text(row, 0)),
                   .equals = absl::StrCat("OPERATOR(", rows.Text(row, 1), ".",
                                          rows.Text(row, 2), ")")});
    names.emplace(rows.Text(row, 0));
  }
  if (names != std::set<std::string>(table.key.begin(), table.key.end())) {
    key.clear();
  }
  return key;
}

absl::StatusOr<TableLiftCounts> TableLift::Lift(
    const CatalogTable& table, const LedgerTable& then,
    const std::vector<LedgerRange>& ranges, const std::vector<KeyColumn>& key,
    const std::string& touched) {
  TableLiftCounts counts;
  RETURN_IF_ERROR(target_.Exec("BEGIN").status());
  if (!touched.empty()) {
    ASSIGN_OR_RETURN(counts.removed, DeleteKeysOf(table, key, touched));
  }
  ASSIGN_OR_RETURN(counts.fetched, Fetch(table, then, ranges));
  if (counts.fetched > 0) {
    ASSIGN_OR_RETURN(const int64_t replaced,
                     DeleteKeysOf(table, key, std::string(kStage)));
    counts.removed += replaced;
    const std::string columns = ColumnList(table);
    ASSIGN_OR_RETURN(
        const PgResult inserted,
        target_.Exec(absl::StrCat("INSERT INTO ", Quote(table.name), " (",
                                  columns, ") OVERRIDING SYSTEM VALUE SELECT ",
                                  columns, " FROM ", kStage)));
    if (inserted.affected_rows() != counts.fetched) {
      return absl::DataLossError(
          absl::StrCat("the source sent ", counts.fetched,
                       " rows, the target stored ", inserted.affected_rows()));
    }
  }
  RETURN_IF_ERROR(NotePosition(table));
  RETURN_IF_ERROR(Commit());
  return counts;
}

absl::StatusOr<int64_t> TableLift::DeleteKeysOf(
    const CatalogTable& table, const std::vector<KeyColumn>& key,
    const std::string& others) {
  RETURN_IF_ERROR(target_.Exec(absl::StrCat("ANALYZE ", others)).status());
  ASSIGN_OR_RETURN(
      const PgResult deleted,
      target_.Exec(absl::StrCat("DELETE FROM ONLY ", Quote(table.name),
                                " AS t WHERE EXISTS (SELECT FROM ", others,
                                " AS k WHERE ", SameKey(key), ")")));
  return deleted.affected_rows();
}

// Fills the stage with the versions in `ranges` that are newer than `then`.
absl::StatusOr<int64_t> TableLift::Fetch(
    const CatalogTable& table, const LedgerTable& then,
    const std::vector<LedgerRange>& ranges) {
  ASSIGN_OR_RETURN(const XidSnapshot before, XidSnapshot::Parse(then.snapshot));
  ASSIGN_OR_RETURN(const XidSnapshot now, XidSnapshot::Parse(snapshot_.text()));
  const std::string columns = ColumnList(table);
  RETURN_IF_ERROR(
      target_
          .Exec(absl::StrCat(
              "CREATE TEMP TABLE walferry_rows ON COMMIT DROP AS SELECT ",
              columns, " FROM ONLY ", Quote(table.name), " WITH NO DATA"))
          .status());
  CopyCounters counters;
  int64_t fetched = 0;
  for (const LedgerRange& range : Merged(ranges)) {
    ASSIGN_OR_RETURN(
        const int64_t rows,
        PipeRows(
            source_,
            absl::StrCat("COPY (SELECT ", columns, " FROM ONLY ",
                         Quote(table.name), " WHERE ", RangeCondition(range),
                         " AND ", CreatedSince(before, now), ") TO STDOUT"),
            target_,
            absl::StrCat("COPY ", kStage, " (", columns, ") FROM STDIN"),
            counters));
    fetched += rows;
  }
  return fetched;
}

absl::Status TableLift::StartAnew(const CatalogTable& table) {
  const std::string name = Quote(table.name);
  // Rows that CREATE EXTENSION has brought stay.
  if (!table.config_condition.empty()) {
    RETURN_IF_ERROR(target_
                        .Exec(absl::StrCat("BEGIN; DELETE FROM ONLY ", name,
                                           " ", table.config_condition))
                        .status());
    return ForgetCopy(table);
  }
  const absl::Status truncated =
      target_
          .Exec(absl::StrCat("BEGIN; SAVEPOINT walferry; TRUNCATE ONLY ", name,
                             "; RELEASE SAVEPOINT walferry"))
          .status();
  if (!truncated.ok()) {
    if (!target_.in_transaction()) return truncated;
    RETURN_IF_ERROR(
        target_
            .Exec(absl::StrCat("ROLLBACK TO SAVEPOINT walferry; DELETE FROM "
                               "ONLY ",
                               name))
            .status());
  }
  return ForgetCopy(table);
}

absl::Status TableLift::StartFoundAnew(const CatalogTable& table,
                                       std::optional<int64_t> rows) {
  const std::string name = Quote(table.name);
  // Nobody writes between counting and removing.
  RETURN_IF_ERROR(target_
                      .Exec(absl::StrCat("BEGIN; LOCK TABLE ONLY ", name,
                                         " IN SHARE ROW EXCLUSIVE MODE"))
                      .status());
  if (rows.has_value()) {
    if (absl::Status same = CheckRows(table, *rows); !same.ok()) {
      return Rollback(same);
    }
  }
  if (absl::Status alone = CheckNoCascade(table); !alone.ok()) {
    return Rollback(alone);
  }
  RETURN_IF_ERROR(target_
                      .Exec(absl::StrCat("DELETE FROM ONLY ", name, " ",
                                         table.config_condition))
                      .status());
  return ForgetCopy(table);
}

absl::Status TableLift::CheckRows(const CatalogTable& table, int64_t rows) {
  ASSIGN_OR_RETURN(
      const PgResult count,
      target_.Exec(absl::StrCat("SELECT count(*) FROM ONLY ", Quote(table.name),
                                " ", table.config_condition)));
  ASSIGN_OR_RETURN(const int64_t there, count.Int64(0, 0));
  if (there == rows) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "target: it has to be copied anew, but holds ", there,
          there == 1 ? " row" : " rows", ", of which walferry has copied ",
          rows, ": others have written to it")),
      "see whose they are; --accept target-rows removes all of them");
}

// Triggers that are quiet take no other table's rows along.
absl::Status TableLift::CheckNoCascade(const CatalogTable& table) {
  ASSIGN_OR_RETURN(
      const PgResult others,
      target_.Exec(absl::StrCat(
          "SELECT conrelid::pg_catalog.regclass FROM pg_catalog.pg_constraint"
          " WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd')"
          " AND confrelid = ",
          QuoteLiteral(Quote(table.name)),
          "::pg_catalog.regclass"
          " AND pg_catalog.current_setting('session_replication_role')"
          " <> 'replica' ORDER BY 1 LIMIT 1")));
  if (others.rows() == 0) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("target: it has to be copied anew, but rows of ",
                       others.Text(0, 0), " would go with its rows")),
      "drop the foreign key, and create it again when the rows are there");
}

absl::Status TableLift::Rollback(const absl::Status& why) {
  if (target_.in_transaction()) {
    RETURN_IF_ERROR(target_.Exec("ROLLBACK").status());
  }
  return why;
}

absl::Status TableLift::ForgetCopy(const CatalogTable& table) {
  RETURN_IF_ERROR(target_.Exec(sql_.ForgetRanges(table.name)).status());
  RETURN_IF_ERROR(NotePosition(table));
  return Commit();
}

absl::Status TableLift::NotePositions(
    const std::vector<const CatalogTable*>& tables) {
  if (tables.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(target_.Exec("BEGIN").status());
  for (const CatalogTable* table : tables) {
    RETURN_IF_ERROR(NotePosition(*table));
  }
  return Commit();
}

absl::Status TableLift::Keep(const CatalogTable& table,
                             const LedgerTable& then) {
  RETURN_IF_ERROR(target_.Exec("BEGIN").status());
  RETURN_IF_ERROR(NotePosition(table));
  if (then.copied) {
    RETURN_IF_ERROR(target_.Exec(sql_.TableCopied(table.name)).status());
  }
  return Commit();
}

absl::Status TableLift::NotePosition(const CatalogTable& table) {
  ASSIGN_OR_RETURN(const PgResult noted,
                   target_.Exec(sql_.TablePosition(
                       table.name, snapshot_.consistent_point(),
                       snapshot_.text(), table.relfilenode, table.blocks)));
  if (noted.affected_rows() == 1) return absl::OkStatus();
  return absl::InternalError("the ledger does not have the table");
}

absl::Status TableLift::Commit() {
  RETURN_IF_ERROR(snapshot_.Check());
  ASSIGN_OR_RETURN(const PgResult committed, target_.Exec("COMMIT"));
  if (committed.command_tag() == "COMMIT") return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("COMMIT was answered by ", committed.command_tag()));
}

}  // namespace walferry
