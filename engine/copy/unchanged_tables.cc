#include "engine/copy/unchanged_tables.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "engine/connect/old_servers.h"
#include "engine/connect/xid_snapshot.h"
#include "engine/copy/guarded_work.h"
#include "engine/copy/table_copy.h"
#include "engine/copy/table_lift.h"
#include "engine/ledger/ledger.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A table that an earlier run has begun.
struct Begun {
  const CatalogTable* table = nullptr;
  LedgerTable then;
  std::vector<LedgerRange> ranges;
  // "" if the source still has what was copied, or why that cannot be said.
  std::string changed;
};

struct Versions {
  int64_t all = 0;
  int64_t newer = 0;
};

// Those that the new snapshot sees in a range, and of these the newer ones.
absl::Status CountVersions(PgConnection& source, const CatalogTable& table,
                           const LedgerRange& range, const std::string& newer,
                           Versions& versions) {
  const bool whole = range.first_block == 0 && range.end_block < 0;
  ASSIGN_OR_RETURN(const PgResult counts,
                   source.Exec(absl::StrCat(
                       "SELECT count(*), count(*) FILTER (WHERE ", newer,
                       ") FROM ONLY ", Quote(table.name), " ",
                       whole ? table.config_condition
                             : absl::StrCat("WHERE ", RangeCondition(range)))));
  ASSIGN_OR_RETURN(const int64_t all_in_range, counts.Int64(0, 0));
  ASSIGN_OR_RETURN(const int64_t newer_in_range, counts.Int64(0, 1));
  versions.all += all_in_range;
  versions.newer += newer_in_range;
  return absl::OkStatus();
}

// Of SourceSnapshot::text(): the server's snapshot, and its timeline.
std::pair<std::string, std::string> Divided(const std::string& snapshot) {
  return absl::StrSplit(snapshot, absl::MaxSplits('@', 1));
}

// Of versions that were made by a transaction that ran when `then` was taken,
// or later.
absl::StatusOr<std::string> NewerThan(const std::string& then,
                                      const std::string& now) {
  ASSIGN_OR_RETURN(const XidSnapshot before, XidSnapshot::Parse(then));
  ASSIGN_OR_RETURN(const XidSnapshot after, XidSnapshot::Parse(now));
  return CreatedSince({.xmin = before.xmin, .xmax = before.xmin}, after);
}

absl::StatusOr<std::string> WhatChanged(PgConnection& source,
                                        const Begun& begun,
                                        const std::string& snapshot) {
  const CatalogTable& table = *begun.table;
  if (begun.then.snapshot.empty() || snapshot.empty()) {
    return "a standby cannot say whether it has changed";
  }
  if (begun.then.relfilenode != table.relfilenode) {
    return "it was rewritten or truncated";
  }
  const auto [then, then_timeline] = Divided(begun.then.snapshot);
  const auto [now, timeline] = Divided(snapshot);
  if (then_timeline != timeline) return "another server has taken over";
  ASSIGN_OR_RETURN(const std::string method,
                   source.QueryValue(absl::StrCat(
                       "SELECT ", TableMethodSql(source.server_version()),
                       " FROM pg_class c LEFT JOIN pg_am m ON m.oid = c.relam "
                       "WHERE c.oid = ",
                       table.oid)));
  if (method != "heap") {
    return absl::StrCat("access method ", method,
                        " may not tell whether it has changed");
  }
  ASSIGN_OR_RETURN(const std::string newer, NewerThan(then, now));
  Versions versions;
  for (const LedgerRange& range : Merged(begun.ranges)) {
    RETURN_IF_ERROR(CountVersions(source, table, range, newer, versions));
  }
  if (versions.newer == 0 && versions.all == begun.then.rows) return "";
  return "it was written to since";
}

// Fills in what has changed of each.
class Comparison {
 public:
  Comparison(const UnchangedTablesOptions& options, SourceSnapshot& snapshot,
             std::vector<Begun>& begun)
      : options_(options), snapshot_(snapshot), begun_(begun) {}

  absl::Status Run(EventSink& events) {
    GuardedWork work(
        snapshot_, [this](uint32_t oid) { return Name(oid); }, events);
    return work.Run(
        std::min(begun_.size(),
                 static_cast<size_t>(std::max(1, options_.jobs))),
        options_.progress_interval, [&] { return LookAtTables(work); },
        [this] { return Read(); });
  }

 private:
  absl::Status LookAtTables(const GuardedWork& work) {
    ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(options_.session));
    RETURN_IF_ERROR(snapshot_.Import(source));
    // Here whole tables are read for a number.
    RETURN_IF_ERROR(source.Exec("SET enable_seqscan = on").status());
    while (!work.failed()) {
      const size_t next = next_.fetch_add(1);
      if (next >= begun_.size()) break;
      Begun& begun = begun_[next];
      absl::StatusOr<std::string> changed =
          WhatChanged(source, begun, snapshot_.text());
      if (!changed.ok()) {
        return Annotate(changed.status(), Name(begun.table->oid));
      }
      begun.changed = *std::move(changed);
      ++done_;
    }
    return absl::OkStatus();
  }

  Progress Read() const {
    return {.phase = Phase::kPrepare,
            .items_done = done_.load(),
            .items_total = static_cast<int64_t>(begun_.size()),
            .elapsed = absl::Now() - started_,
            .active = {}};
  }

  std::string Name(uint32_t oid) const {
    for (const Begun& begun : begun_) {
      if (begun.table->oid == oid) {
        return absl::StrCat("table ", ToDisplay(begun.table->name));
      }
    }
    return "a table";
  }

  const UnchangedTablesOptions& options_;
  SourceSnapshot& snapshot_;
  std::vector<Begun>& begun_;
  const absl::Time started_ = absl::Now();
  std::atomic<size_t> next_ = 0;
  std::atomic<int64_t> done_ = 0;
};

// Notes where the tables stand that nobody has begun; returns the others.
absl::StatusOr<std::vector<Begun>> DivideTables(
    Ledger& ledger, TableLift& lift, const std::vector<CatalogTable>& tables) {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> rows, ledger.Tables());
  absl::flat_hash_map<QualifiedName, const LedgerTable*> noted;
  for (const LedgerTable& row : rows) noted[row.table] = &row;
  std::vector<Begun> begun;
  std::vector<const CatalogTable*> others;
  for (const CatalogTable& table : tables) {
    const auto found = noted.find(table.name);
    if (!table.copy_data || found == noted.end()) continue;
    ASSIGN_OR_RETURN(std::vector<LedgerRange> ranges,
                     ledger.RangesDone(table.name));
    if (ranges.empty() && !found->second->copied) {
      others.push_back(&table);
      continue;
    }
    begun.push_back(
        {.table = &table, .then = *found->second, .ranges = std::move(ranges)});
  }
  RETURN_IF_ERROR(lift.NotePositions(others));
  return begun;
}

// Nobody could tell what clients have written from what was copied.
absl::Status CheckMayStartAnew(const UnchangedTablesOptions& options,
                               const Begun& part) {
  if (!options.clients_write ||
      options.may_remove_others_rows(part.table->name)) {
    return absl::OkStatus();
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "a part of its rows was copied, which cannot go on: ", part.changed,
          "; and it is not copied anew, as clients may have written to it on "
          "the target")),
      absl::StrCat("--accept target-rows:", ToDisplay(part.table->name),
                   " removes all of its rows on the target, those of clients, "
                   "too, and copies it anew"));
}

absl::Status StartAnew(const UnchangedTablesOptions& options, TableLift& lift,
                       const Begun& part) {
  const auto& may = options.may_remove_others_rows;
  if (!may) return lift.StartAnew(*part.table);
  return lift.StartFoundAnew(*part.table,
                             may(part.table->name)
                                 ? std::nullopt
                                 : std::optional<int64_t>(part.then.rows));
}

}  // namespace

absl::Status KeepUnchangedTables(const UnchangedTablesOptions& options,
                                 SourceSnapshot& snapshot,
                                 const std::vector<CatalogTable>& tables,
                                 EventSink& events) {
  ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(options.session));
  ASSIGN_OR_RETURN(PgConnection target,
                   OpenCopyTarget(options.session, snapshot.encoding()));
  Ledger ledger(target, {.schema = options.session.endpoints.ledger_schema,
                         .migration = options.session.endpoints.name});
  TableLift lift(source, target, snapshot, ledger.sql());
  ASSIGN_OR_RETURN(std::vector<Begun> begun,
                   DivideTables(ledger, lift, tables));
  if (!begun.empty()) {
    RETURN_IF_ERROR(Comparison(options, snapshot, begun).Run(events));
  }
  int64_t kept = 0;
  for (const Begun& part : begun) {
    const std::string name =
        absl::StrCat("table ", ToDisplay(part.table->name));
    if (part.changed.empty()) {
      ++kept;
      RETURN_IF_ERROR(Annotate(lift.Keep(*part.table, part.then), name));
      continue;
    }
    RETURN_IF_ERROR(Annotate(CheckMayStartAnew(options, part), name));
    events.OnEvent(
        Notice{.level = Notice::Level::kWarning,
               .text = absl::StrCat(name, " is copied anew: ", part.changed)});
    RETURN_IF_ERROR(Annotate(StartAnew(options, lift, part), name));
  }
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
