#include "engine/unchanged_tables.h"

#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/ledger.h"
#include "engine/table_copy.h"
#include "engine/table_lift.h"
#include "engine/xid_snapshot.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

struct Versions {
  int64_t all = 0;
  int64_t newer = 0;
};

// Those that the new snapshot sees in a range, and of these the ones that a
// transaction has made which the old one does not see.
absl::Status CountVersions(PgConnection& source, const CatalogTable& table,
                           const LedgerRange& range,
                           const std::string& created_since,
                           Versions& versions) {
  const bool whole = range.first_block == 0 && range.end_block < 0;
  ASSIGN_OR_RETURN(const PgResult counts,
                   source.Exec(absl::StrCat(
                       "SELECT count(*), count(*) FILTER (WHERE ",
                       created_since, ") FROM ONLY ", Quote(table.name), " ",
                       whole ? table.config_condition
                             : absl::StrCat("WHERE ", RangeCondition(range)))));
  ASSIGN_OR_RETURN(const int64_t all, counts.Int64(0, 0));
  ASSIGN_OR_RETURN(const int64_t newer, counts.Int64(0, 1));
  versions.all += all;
  versions.newer += newer;
  return absl::OkStatus();
}

// "" if the source still has what was copied, or why that cannot be said.
absl::StatusOr<std::string> WhatChanged(PgConnection& source,
                                        const CatalogTable& table,
                                        const LedgerTable& then,
                                        const std::vector<LedgerRange>& ranges,
                                        const std::string& now) {
  if (then.snapshot.empty() || now.empty()) {
    return "a standby cannot say whether it has changed";
  }
  if (then.snapshot == now) return "";
  if (then.relfilenode != table.relfilenode) {
    return "it was rewritten or truncated";
  }
  ASSIGN_OR_RETURN(const XidSnapshot before, XidSnapshot::Parse(then.snapshot));
  ASSIGN_OR_RETURN(const XidSnapshot after, XidSnapshot::Parse(now));
  const std::string created_since = CreatedSince(before, after);
  Versions versions;
  for (const LedgerRange& range : ranges) {
    RETURN_IF_ERROR(
        CountVersions(source, table, range, created_since, versions));
  }
  if (versions.newer == 0 && versions.all == then.rows) return "";
  return "it was written to since";
}

}  // namespace

absl::Status KeepUnchangedTables(const CopySessionOptions& session,
                                 SourceSnapshot& snapshot,
                                 const std::vector<CatalogTable>& tables,
                                 EventSink& events) {
  ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(session));
  RETURN_IF_ERROR(snapshot.Import(source));
  // Here whole tables are read for a number.
  RETURN_IF_ERROR(source.Exec("SET enable_seqscan = on").status());
  ASSIGN_OR_RETURN(PgConnection target,
                   OpenCopyTarget(session, snapshot.encoding()));
  Ledger ledger(target, {.schema = session.endpoints.ledger_schema,
                         .migration = session.endpoints.name});
  TableLift lift(source, target, snapshot, ledger.sql());
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> rows, ledger.Tables());
  absl::flat_hash_map<QualifiedName, const LedgerTable*> noted;
  for (const LedgerTable& row : rows) noted[row.table] = &row;
  int64_t kept = 0;
  std::vector<const CatalogTable*> not_begun;
  for (const CatalogTable& table : tables) {
    const auto found = noted.find(table.name);
    if (!table.copy_data || found == noted.end()) continue;
    const LedgerTable& then = *found->second;
    ASSIGN_OR_RETURN(const std::vector<LedgerRange> ranges,
                     ledger.RangesDone(table.name));
    if (ranges.empty() && !then.copied) {
      not_begun.push_back(&table);
      continue;
    }
    const std::string name = absl::StrCat("table ", ToDisplay(table.name));
    absl::StatusOr<std::string> changed =
        WhatChanged(source, table, then, ranges, snapshot.text());
    if (!changed.ok()) return Annotate(changed.status(), name);
    if (changed->empty()) {
      ++kept;
      RETURN_IF_ERROR(Annotate(lift.Keep(table, then), name));
      continue;
    }
    events.OnEvent(
        Notice{.level = Notice::Level::kWarning,
               .text = absl::StrCat(name, " is copied anew: ", *changed)});
    RETURN_IF_ERROR(Annotate(lift.StartAnew(table), name));
  }
  RETURN_IF_ERROR(lift.NotePositions(not_begun));
  if (kept > 0) {
    events.OnEvent(
        Notice{.level = Notice::Level::kInfo,
               .text = absl::StrCat("resuming: what was copied of ", kept,
                                    kept == 1 ? " table" : " tables",
                                    " is still what the source has")});
  }
  return absl::OkStatus();
}

}  // namespace walferry
