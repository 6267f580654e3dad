#include "engine/copy/range_lift.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "engine/copy/copy_plan.h"
#include "engine/copy/table_lift.h"
#include "engine/copy/touched_keys.h"
#include "engine/ledger/ledger.h"
#include "protocol/quoting.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A table that an earlier run has copied in part.
struct Part {
  const CatalogTable* table = nullptr;
  LedgerTable then;
  std::vector<LedgerRange> ranges;
  std::vector<KeyColumn> key;
  size_t touched = 0;    // Its number in TouchedKeys.
  std::string obstacle;  // Why it has to be started anew, or "".
};

constexpr double kMegabyte = 1 << 20;

// One LiftTables() call.
class Lift {
 public:
  Lift(const LiftOptions& options, SourceSnapshot& snapshot,
       PgConnection source, PgConnection target, EventSink& events)
      : options_(options),
        snapshot_(snapshot),
        source_(std::move(source)),
        target_(std::move(target)),
        events_(events),
        ledger_(target_, {.schema = options.session.endpoints.ledger_schema,
                          .migration = options.session.endpoints.name}),
        keys_(target_) {}

  absl::StatusOr<LiftReport> Run(const std::vector<CatalogTable>& tables) {
    ASSIGN_OR_RETURN(const int ended,
                     EndEarlierCopies(target_, options_.session.endpoints));
    if (ended > 0) {
      Tell(absl::StrCat("ended ", ended,
                        " sessions that an earlier run left behind"));
    }
    RETURN_IF_ERROR(Classify(tables));
    RETURN_IF_ERROR(FindObstacles());
    RETURN_IF_ERROR(PrepareKeys());
    RETURN_IF_ERROR(ReadKeys());
    TableLift lift(source_, target_, snapshot_, ledger_.sql());
    RETURN_IF_ERROR(lift.NotePositions(untouched_));
    for (const Part& part : parts_) {
      if (absl::Status done = LiftOne(lift, part); !done.ok()) {
        return Annotate(done,
                        absl::StrCat("table ", ToDisplay(part.table->name)));
      }
    }
    return report_;
  }

 private:
  void Tell(std::string text) {
    events_.OnEvent(
        Notice{.level = Notice::Level::kInfo, .text = std::move(text)});
  }

  absl::Status Classify(const std::vector<CatalogTable>& tables) {
    ASSIGN_OR_RETURN(const std::vector<LedgerTable> rows, ledger_.Tables());
    absl::flat_hash_map<QualifiedName, const LedgerTable*> noted;
    for (const LedgerTable& row : rows) noted[row.table] = &row;
    for (const CatalogTable& table : tables) {
      const auto found = noted.find(table.name);
      if (!table.copy_data || found == noted.end()) continue;
      const LedgerTable& row = *found->second;
      if (row.lsn == snapshot_.consistent_point()) continue;
      // No stream will bring a copied one to where the others are.
      if (row.copied && !table.unlogged) continue;
      ASSIGN_OR_RETURN(std::vector<LedgerRange> ranges,
                       ledger_.RangesDone(table.name));
      if (ranges.empty() && !row.copied) {
        untouched_.push_back(&table);
        continue;
      }
      Part part;
      part.table = &table;
      part.then = row;
      part.ranges = std::move(ranges);
      if (table.unlogged) part.obstacle = "it is unlogged";
      parts_.push_back(std::move(part));
    }
    return absl::OkStatus();
  }

  absl::Status FindObstacles() {
    if (parts_.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const Lsn confirmed, ConfirmedPosition());
    for (Part& part : parts_) {
      if (!part.obstacle.empty()) continue;
      const CatalogTable& table = *part.table;
      if (part.then.relfilenode != table.relfilenode) {
        part.obstacle = "it was rewritten or truncated";
      } else if (!IsDivisible(table)) {
        part.obstacle = "it has no key";
      } else if (confirmed > part.then.lsn) {
        part.obstacle = "the slot has moved on";
      } else {
        ASSIGN_OR_RETURN(const bool published, IsPublished(table));
        if (!published) {
          part.obstacle =
              "the publications do not send its updates and deletes as its own";
          continue;
        }
        ASSIGN_OR_RETURN(part.key, ReadKey(source_, table));
        if (part.key.empty()) part.obstacle = "its key changed";
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Lsn> ConfirmedPosition() {
    ASSIGN_OR_RETURN(
        const PgResult slot,
        source_.Exec(absl::StrCat("SELECT confirmed_flush_lsn FROM "
                                  "pg_replication_slots WHERE slot_name = ",
                                  QuoteLiteral(options_.slot))));
    if (slot.rows() == 1) return slot.LsnAt(0, 0);
    return absl::NotFoundError(absl::StrCat("source: no slot ", options_.slot));
  }

  // Its updates and deletes are in the stream, all of them, under its name.
  absl::StatusOr<bool> IsPublished(const CatalogTable& table) {
    const std::string publications = QuoteTextArray(options_.publications);
    ASSIGN_OR_RETURN(
        const std::string published,
        source_.QueryValue(absl::StrCat(
            "SELECT EXISTS (SELECT FROM pg_publication p JOIN "
            "pg_publication_tables t USING (pubname) WHERE p.pubname = ANY(",
            publications, ") AND p.pubupdate AND p.pubdelete",
            source_.server_version() >= 150000 ? " AND t.rowfilter IS NULL"
                                               : "",
            " AND t.schemaname = ", QuoteLiteral(table.name.schema),
            " AND t.tablename = ", QuoteLiteral(table.name.name), ") AND NOT (",
            table.is_partition ? "true" : "false",
            " AND EXISTS (SELECT FROM pg_publication WHERE pubname = ANY(",
            publications, ") AND pubviaroot))")));
    return published == "t";
  }

  absl::Status PrepareKeys() {
    for (Part& part : parts_) {
      if (!part.obstacle.empty()) continue;
      absl::StatusOr<size_t> number = keys_.Add(*part.table, part.then.lsn);
      if (!number.ok()) {
        if (SqlStateOf(number.status()) != "42501") {
          return Annotate(number.status(), "target");
        }
        part.obstacle = "the target's role may not create temporary tables";
        continue;
      }
      part.touched = *number;
      wanted_from_ = std::min(wanted_from_, part.then.lsn);
    }
    return absl::OkStatus();
  }

  absl::Status ReadKeys() {
    const Lsn until = snapshot_.consistent_point();
    if (wanted_from_ >= until) return absl::OkStatus();
    ASSIGN_OR_RETURN(PgConnection walsender,
                     OpenCopyWalsender(options_.session));
    absl::StatusOr<std::unique_ptr<ReplicationStream>> stream =
        ReplicationStream::Start(std::move(walsender),
                                 {.slot = options_.slot,
                                  .publications = options_.publications,
                                  .start = wanted_from_});
    if (!stream.ok()) return Annotate(stream.status(), "source");
    absl::Time next_notice = absl::Now() + options_.notice_interval;
    const auto on_progress = [&](Lsn reached) {
      if (absl::Now() < next_notice) return;
      next_notice = absl::Now() + options_.notice_interval;
      Tell(absl::StrFormat(
          "reading what has changed since the copy was interrupted: %.0f of "
          "%.0f MB",
          static_cast<double>(BytesBetween(wanted_from_, reached)) / kMegabyte,
          static_cast<double>(BytesBetween(wanted_from_, until)) / kMegabyte));
    };
    if (absl::Status read = keys_.Read(**stream, until, on_progress);
        !read.ok()) {
      return Annotate(read, absl::StrCat("changes of slot ", options_.slot));
    }
    // The slot is to be free as soon as possible, but all is read already.
    (*stream)->Finish(absl::Seconds(10)).IgnoreError();
    const absl::Status flushed = keys_.Flush();
    return flushed.ok() ? flushed : Annotate(flushed, "target");
  }

  absl::Status LiftOne(TableLift& lift, const Part& part) {
    const std::string name = ToDisplay(part.table->name);
    std::string obstacle = part.obstacle;
    if (obstacle.empty()) obstacle = keys_.trouble(part.touched);
    if (!obstacle.empty()) {
      ++report_.restarted;
      events_.OnEvent(Notice{
          .level = Notice::Level::kWarning,
          .text = absl::StrCat("table ", name, " is copied anew: ", obstacle)});
      return lift.StartAnew(*part.table);
    }
    const int64_t keys = keys_.count(part.touched);
    ASSIGN_OR_RETURN(
        const TableLiftCounts counts,
        lift.Lift(*part.table, part.then, part.ranges, part.key,
                  keys > 0 ? TouchedKeys::TempTable(part.touched) : ""));
    ++report_.lifted;
    report_.keys += keys;
    report_.rows_removed += counts.removed;
    report_.rows_fetched += counts.fetched;
    Tell(absl::StrCat("table ", name, ": the copied part was brought from ",
                      part.then.lsn.ToString(), " to ",
                      snapshot_.consistent_point().ToString(), " (",
                      counts.removed, " rows removed, ", counts.fetched,
                      " fetched)"));
    return absl::OkStatus();
  }

  const LiftOptions& options_;
  SourceSnapshot& snapshot_;
  PgConnection source_;
  PgConnection target_;
  EventSink& events_;
  Ledger ledger_;
  TouchedKeys keys_;
  std::vector<Part> parts_;
  std::vector<const CatalogTable*> untouched_;
  Lsn wanted_from_{UINT64_MAX};
  LiftReport report_;
};

}  // namespace

absl::StatusOr<LiftReport> LiftTables(const LiftOptions& options,
                                      SourceSnapshot& snapshot,
                                      const std::vector<CatalogTable>& tables,
                                      EventSink& events) {
  ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(options.session));
  RETURN_IF_ERROR(snapshot.Import(source));
  ASSIGN_OR_RETURN(PgConnection target,
                   OpenCopyTarget(options.session, snapshot.encoding()));
  // Whole tables are joined with many keys, and nothing is known about either.
  RETURN_IF_ERROR(target.Exec("SET enable_nestloop = off").status());
  Lift lift(options, snapshot, std::move(source), std::move(target), events);
  return lift.Run(tables);
}

}  // namespace walferry
