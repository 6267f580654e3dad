#include "engine/copy/large_objects.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "engine/copy/guarded_work.h"
#include "engine/ledger/ledger.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Objects in one transaction of the target, and how much of each is read at
// once: together at most 16 MiB, twice that as text.
constexpr size_t kPieceObjects = 64;
constexpr int64_t kFirstBytes = int64_t{256} << 10;
// What is read at once of the rest of a larger one.
constexpr int64_t kChunkBytes = int64_t{4} << 20;

constexpr absl::string_view kPiecePrefix = "large-objects ";

LedgerKey KeyOf(const LargeObjectOptions& options) {
  return {.schema = options.session.endpoints.ledger_schema,
          .migration = options.session.endpoints.name};
}

std::string OidArray(absl::Span<const int64_t> oids) {
  return absl::StrCat("{", absl::StrJoin(oids, ","), "}");
}

absl::StatusOr<std::vector<int64_t>> ReadOids(PgConnection& connection) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection.Exec("SELECT oid FROM pg_largeobject_metadata ORDER BY oid"));
  std::vector<int64_t> oids(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(oids[static_cast<size_t>(row)], rows.Int64(row, 0));
  }
  return oids;
}

// Of bytea's text, "\x" and two digits a byte.
int64_t BytesOf(absl::string_view hex) {
  return (static_cast<int64_t>(hex.size()) - 2) / 2;
}

// One worker's two sessions. Used by one thread.
class Carrier {
 public:
  Carrier(PgConnection source, PgConnection target,
          const LargeObjectOptions& options)
      : source_(std::move(source)),
        target_(std::move(target)),
        options_(options),
        sql_(KeyOf(options)) {}

  // Returns the bytes.
  absl::StatusOr<int64_t> Carry(absl::Span<const int64_t> piece) {
    const std::string oids = OidArray(piece);
    const absl::StatusOr<PgResult> begins =
        source_.Exec(absl::StrCat("SELECT o, lo_get(o, 0, ", kFirstBytes,
                                  ") FROM unnest('", oids, "'::oid[]) AS o"));
    if (!begins.ok()) return Annotate(begins.status(), "source");
    RETURN_IF_ERROR(Annotate(Create(*begins), "target"));
    int64_t bytes = 0;
    for (int row = 0; row < begins->rows(); ++row) {
      const int64_t begin = BytesOf(begins->Text(row, 1));
      bytes += begin;
      if (begin < kFirstBytes) continue;
      ASSIGN_OR_RETURN(const int64_t oid, begins->Int64(row, 0));
      ASSIGN_OR_RETURN(const int64_t rest, CarryRest(oid));
      bytes += rest;
    }
    const absl::StatusOr<PgResult> facts = source_.Exec(
        LargeObjectFactsSql(oids, options_.no_owner, options_.no_acl));
    if (!facts.ok()) return Annotate(facts.status(), "source");
    std::string statements;
    for (int row = 0; row < facts->rows(); ++row) {
      absl::StrAppend(&statements, facts->Text(row, 0), ";");
    }
    absl::StrAppend(
        &statements,
        sql_.StepDone(absl::StrCat(kPiecePrefix, absl::StrJoin(piece, ","))),
        "; COMMIT");
    const absl::StatusOr<PgResult> committed = target_.Exec(statements);
    if (!committed.ok()) return Annotate(committed.status(), "target");
    if (committed->command_tag() == "COMMIT") return bytes;
    return absl::InternalError(
        absl::StrCat("COMMIT was answered by ", committed->command_tag()));
  }

 private:
  // Begins a transaction.
  absl::Status Create(const PgResult& begins) {
    std::vector<absl::string_view> oids;
    std::vector<std::string> values;
    for (int row = 0; row < begins.rows(); ++row) {
      oids.push_back(begins.Text(row, 0));
      values.push_back(absl::StrCat("\"\\", begins.Text(row, 1), "\""));
    }
    RETURN_IF_ERROR(target_.Exec("BEGIN").status());
    const absl::StatusOr<PgResult> created = target_.ExecParams(
        "SELECT count(lo_from_bytea(o, b)) FROM unnest($1::oid[], $2::bytea[]) "
        "AS x(o, b)",
        {absl::StrCat("{", absl::StrJoin(oids, ","), "}"),
         absl::StrCat("{", absl::StrJoin(values, ","), "}")});
    if (SqlStateOf(created.status()) == "23505") {
      return WithHint(
          absl::FailedPreconditionError(created.status().message()),
          "a large object of that number is on the target already: if nobody "
          "needs it, SELECT lo_unlink(...), and run the same command again");
    }
    RETURN_IF_ERROR(created.status());
    if (created->Text(0, 0) == absl::StrCat(oids.size())) {
      return absl::OkStatus();
    }
    return absl::InternalError("not all large objects were created");
  }

  // What comes after the first kFirstBytes.
  absl::StatusOr<int64_t> CarryRest(int64_t oid) {
    int64_t at = kFirstBytes;
    while (true) {
      const absl::StatusOr<std::string> chunk = source_.QueryValue(absl::StrCat(
          "SELECT lo_get(", oid, ", ", at, ", ", kChunkBytes, ")"));
      if (!chunk.ok()) return Annotate(chunk.status(), "source");
      const int64_t bytes = BytesOf(*chunk);
      if (bytes > 0) {
        const absl::Status put =
            target_
                .ExecParams("SELECT lo_put($1, $2, $3)",
                            {absl::StrCat(oid), absl::StrCat(at), *chunk})
                .status();
        if (!put.ok()) return Annotate(put, "target");
      }
      at += bytes;
      if (bytes < kChunkBytes) return at - kFirstBytes;
    }
  }

  PgConnection source_;
  PgConnection target_;
  const LargeObjectOptions& options_;
  const LedgerSql sql_;
};

// The pieces, and how far they are.
class Pieces {
 public:
  Pieces(const LargeObjectOptions& options, SourceSnapshot& snapshot,
         std::vector<int64_t> oids, const Interrupt& interrupt)
      : options_(options),
        snapshot_(snapshot),
        oids_(std::move(oids)),
        interrupt_(interrupt) {}

  absl::Status Carry(EventSink& events) {
    const size_t pieces = (oids_.size() + kPieceObjects - 1) / kPieceObjects;
    GuardedWork work(
        snapshot_, [](uint32_t) { return "a table"; }, events);
    return work.Run(
        std::min(pieces, static_cast<size_t>(std::max(1, options_.jobs))),
        options_.progress_interval, [&] { return CarryPieces(work); },
        [this] { return Read(); });
  }

 private:
  absl::Status CarryPieces(const GuardedWork& work) {
    CopySessionOptions session = options_.session;
    session.interrupt = &interrupt_;
    ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(session));
    RETURN_IF_ERROR(snapshot_.Import(source));
    ASSIGN_OR_RETURN(PgConnection target,
                     OpenCopyTarget(session, snapshot_.encoding()));
    Carrier carrier(std::move(source), std::move(target), options_);
    while (!work.failed()) {
      const absl::Span<const int64_t> piece = Take();
      if (piece.empty()) break;
      const absl::StatusOr<int64_t> bytes = carrier.Carry(piece);
      if (!bytes.ok()) {
        return Annotate(bytes.status(),
                        absl::StrCat("large objects ", piece.front(), " to ",
                                     piece.back()));
      }
      const absl::MutexLock lock(&mutex_);
      done_ += piece.size();
      bytes_ += *bytes;
    }
    return absl::OkStatus();
  }

  absl::Span<const int64_t> Take() {
    const absl::MutexLock lock(&mutex_);
    const size_t count = std::min(kPieceObjects, oids_.size() - next_);
    const size_t first = std::exchange(next_, next_ + count);
    return absl::MakeConstSpan(oids_).subspan(first, count);
  }

  Progress Read() {
    const absl::Time now = absl::Now();
    const absl::MutexLock lock(&mutex_);
    return {.phase = Phase::kCopy,
            .items_done = static_cast<int64_t>(done_),
            .items_total = static_cast<int64_t>(oids_.size()),
            .bytes = bytes_,
            .elapsed = now - started_,
            .active = {{.name = "large objects",
                        .bytes = bytes_,
                        .elapsed = now - started_}}};
  }

  const LargeObjectOptions& options_;
  SourceSnapshot& snapshot_;
  const std::vector<int64_t> oids_;
  const Interrupt& interrupt_;
  const absl::Time started_ = absl::Now();

  absl::Mutex mutex_;
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Those of earlier runs, which are of another state of the source.
absl::Status RemoveEarlier(PgConnection& target, Ledger& ledger,
                           EventSink& events) {
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger.StepsDone());
  int64_t removed = 0;
  for (const std::string& step : steps) {
    if (!IsLargeObjectsPiece(step)) continue;
    ASSIGN_OR_RETURN(
        const PgResult unlinked,
        target.Exec(absl::StrCat(
            "BEGIN; SELECT lo_unlink(oid) FROM pg_largeobject_metadata WHERE "
            "oid = ANY('{",
            step.substr(kPiecePrefix.size()), "}'::oid[])")));
    removed += unlinked.rows();
    RETURN_IF_ERROR(target.Exec(ledger.sql().ForgetStep(step)).status());
    RETURN_IF_ERROR(target.Exec("COMMIT").status());
  }
  if (removed == 0) return absl::OkStatus();
  events.OnEvent(
      Notice{.level = Notice::Level::kInfo,
             .text = absl::StrCat("resuming: ", removed,
                                  " large objects of an earlier run are copied "
                                  "anew")});
  return absl::OkStatus();
}

// `carried` ascends.
absl::Status TellOfOthers(PgConnection& target,
                          const std::vector<int64_t>& carried,
                          EventSink& events) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> there, ReadOids(target));
  std::vector<std::string> others;
  for (const int64_t oid : there) {
    if (!std::binary_search(carried.begin(), carried.end(), oid)) {
      others.push_back(absl::StrCat(oid));
    }
  }
  if (others.empty()) return absl::OkStatus();
  events.OnEvent(Notice{
      .level = Notice::Level::kWarning,
      .text = absl::StrCat("the target has large objects that the source does "
                           "not have, and keeps them: ",
                           NameSome(others))});
  return absl::OkStatus();
}

// The pieces' notes become one.
absl::Status NoteAll(PgConnection& target, Ledger& ledger) {
  RETURN_IF_ERROR(target.Exec("BEGIN").status());
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger.StepsDone());
  for (const std::string& step : steps) {
    if (!IsLargeObjectsPiece(step)) continue;
    RETURN_IF_ERROR(target.Exec(ledger.sql().ForgetStep(step)).status());
  }
  RETURN_IF_ERROR(
      target.Exec(ledger.sql().StepDone(kLargeObjectsStep)).status());
  return target.Exec("COMMIT").status();
}

}  // namespace

bool IsLargeObjectsPiece(absl::string_view step) {
  return absl::StartsWith(step, kPiecePrefix);
}

std::string LargeObjectFactsSql(absl::string_view oids, bool no_owner,
                                bool no_acl) {
  std::string sql = absl::StrCat(
      "WITH m AS (SELECT m.oid, r.rolname, m.lomacl FROM "
      "pg_largeobject_metadata m JOIN pg_roles r ON r.oid = m.lomowner WHERE "
      "m.oid = ANY('",
      oids, "'::oid[])) SELECT sql FROM (");
  if (!no_owner) {
    absl::StrAppend(&sql,
                    "SELECT 1 AS step, oid, format('ALTER LARGE OBJECT %s "
                    "OWNER TO %I', oid, rolname) AS sql FROM m UNION ALL ");
  }
  // The owner's own privileges may have been revoked, too.
  if (!no_owner && !no_acl) {
    absl::StrAppend(
        &sql,
        "SELECT 2, oid, format('REVOKE ALL ON LARGE OBJECT %s FROM PUBLIC, "
        "%I', oid, rolname) FROM m WHERE lomacl IS NOT NULL UNION ALL ");
  }
  if (!no_acl) {
    absl::StrAppend(
        &sql,
        "SELECT 3, m.oid, format('GRANT %s ON LARGE OBJECT %s TO %s%s', "
        "a.privilege_type, m.oid, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE "
        "quote_ident(g.rolname) END, CASE WHEN a.is_grantable THEN ' WITH "
        "GRANT OPTION' ELSE '' END) FROM m CROSS JOIN LATERAL "
        "aclexplode(m.lomacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee "
        "WHERE m.lomacl IS NOT NULL UNION ALL ");
  }
  absl::StrAppend(
      &sql,
      "SELECT 4, oid, format('COMMENT ON LARGE OBJECT %s IS %L', oid, "
      "obj_description(oid, 'pg_largeobject')) FROM m WHERE "
      "obj_description(oid, 'pg_largeobject') IS NOT NULL) AS x(step, oid, "
      "sql) ORDER BY oid, step");
  return sql;
}

absl::Status CopyLargeObjects(const LargeObjectOptions& options,
                              SourceSnapshot& snapshot, const Control& control,
                              EventSink& events) {
  CopySessionOptions session = options.session;
  session.interrupt = &control.interrupt();
  ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(session));
  RETURN_IF_ERROR(snapshot.Import(source));
  ASSIGN_OR_RETURN(const std::vector<int64_t> oids, ReadOids(source));
  ASSIGN_OR_RETURN(PgConnection target,
                   OpenCopyTarget(session, snapshot.encoding()));
  Ledger ledger(target, KeyOf(options));
  RETURN_IF_ERROR(RemoveEarlier(target, ledger, events));
  if (!oids.empty()) {
    Pieces pieces(options, snapshot, oids, control.interrupt());
    RETURN_IF_ERROR(pieces.Carry(events));
  }
  RETURN_IF_ERROR(snapshot.Check());
  RETURN_IF_ERROR(TellOfOthers(target, oids, events));
  return NoteAll(target, ledger);
}

}  // namespace walferry
