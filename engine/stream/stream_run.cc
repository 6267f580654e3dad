#include "engine/stream/stream_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "apply/batch_applier.h"
#include "apply/text_needed.h"
#include "engine/stream/binary_stream.h"
#include "engine/stream/slot_position.h"
#include "protocol/pg_time.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kFinishTimeout = absl::Seconds(5);

// A lost link does not say which.
absl::Status OfSide(absl::string_view side, const absl::Status& status) {
  return absl::IsUnavailable(status) ? Annotate(status, side) : status;
}

// The server is there and has no room for one more session or its origin, or
// does not want it. Not: another process still has that origin.
bool MeansNoMoreSessions(const absl::Status& status) {
  constexpr absl::string_view kTooManyConnections = "53300";
  if (absl::IsUnavailable(status)) {
    return SqlStateOf(status) == kTooManyConnections;
  }
  return !absl::IsCancelled(status) && !absl::IsAborted(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StreamRun>> StreamRun::Start(
    StreamRunOptions options, EventSink& events) {
  std::unique_ptr<StreamRun> run(new StreamRun(std::move(options)));
  RETURN_IF_ERROR(run->Open(events));
  run->pool_->Start();
  run->reading_ = std::thread([raw = run.get()] { raw->Read(); });
  return run;
}

StreamRun::~StreamRun() {
  // The error, if any, was to be had from ended().
  if (reading_.joinable()) Stop().IgnoreError();
}

absl::Status StreamRun::Open(EventSink& events) {
  ASSIGN_OR_RETURN(PgConnection walsender,
                   options_.connector.OpenWalsender(options_.client_encoding));
  ASSIGN_OR_RETURN(const SystemIdentity source, IdentifySystem(walsender));
  ASSIGN_OR_RETURN(const Lsn confirmed,
                   ReadSlotPosition(walsender, options_.slot));

  PgConnectOptions target = options_.connector.TargetOptions("apply");
  target.client_encoding = options_.client_encoding;
  target.interrupt = &failed_;
  RETURN_IF_ERROR(OpenSessions(
      {.target = target,
       .ledger_schema = options_.connector.endpoints.ledger_schema,
       .identity = {.name = options_.connector.endpoints.name,
                    .system_identifier = source.system_identifier,
                    .slot = options_.slot,
                    .dbname = source.dbname},
       .trigger_guard = options_.trigger_guard,
       .start = options_.start.valid() ? options_.start : confirmed,
       .on_wait =
           [&events](absl::string_view text) {
             events.OnEvent(Notice{.level = Notice::Level::kInfo,
                                   .text = std::string(text)});
           }},
      events));
  const Lsn position = sessions_.front()->position();
  RETURN_IF_ERROR(
      CheckSlotContinues(walsender, options_.slot, confirmed, position));

  RETURN_IF_ERROR(ReadOlderTransactions(walsender));
  ASSIGN_OR_RETURN(const bool binary, ChooseBinary());
  ASSIGN_OR_RETURN(
      stream_, ReplicationStream::Start(std::move(walsender),
                                        {.slot = options_.slot,
                                         .publications = options_.publications,
                                         .start = position,
                                         .binary = binary}));
  state_ = std::make_unique<StreamState>(position);
  queue_ = std::make_unique<BatchQueue>(sessions_.size());
  meeting_ = std::make_unique<MeetingPoint>();
  pool_ = std::make_unique<ApplyPool>(
      MakeAppliers(),
      ApplyPool::Context{
          .queue = *queue_,
          .state = *state_,
          .until = options_.until,
          .on_end = [this](const absl::Status& status,
                           const std::optional<Conflict>& conflict) {
            End(OfSide("target", status), conflict);
          }});
  builder_ = std::make_unique<BatchBuilder>(BatchBuilderOptions{
      .position = position,
      .until = options_.until,
      .batch_bytes = options_.stream.batch_bytes,
      .gate = options_.gate,
      .on_begin = [this](const Begin& begin) { reader_->OnBegin(begin); }});
  reader_ = std::make_unique<StreamReader>(
      *stream_, *builder_, *queue_, *state_, *meeting_,
      StreamReaderOptions{.until = options_.until,
                          .receive_timeout = options_.stream.receive_timeout});
  return absl::OkStatus();
}

absl::Status StreamRun::OpenSessions(const ApplySessionOptions& options,
                                     EventSink& events) {
  auto first = ApplySession::Open(options);
  if (!first.ok()) return Annotate(first.status(), "target");
  sessions_.push_back(*std::move(first));
  const int wanted = options_.stream.apply_jobs;
  while (static_cast<int>(sessions_.size()) < wanted) {
    auto next = ApplySession::Join(options, *sessions_.front(),
                                   static_cast<int>(sessions_.size()) + 1);
    if (!next.ok() && !MeansNoMoreSessions(next.status())) {
      return Annotate(next.status(), "target");
    }
    if (!next.ok()) {
      events.OnEvent(Notice{
          .level = Notice::Level::kWarning,
          .text = absl::StrCat(
              "changes are applied over ", sessions_.size(), " instead of ",
              wanted, " sessions: target: ", next.status().message())});
      break;
    }
    sessions_.push_back(*std::move(next));
  }
  return absl::OkStatus();
}

// Never over the walsender: from PostgreSQL 16 on the query opens the published
// tables, and a session that has opened one keeps it as it is now. Its older
// rows in the log would be decoded by that, and come as other values.
absl::StatusOr<bool> StreamRun::ChooseBinary() {
  if (options_.text_only || options_.stream.binary == BinaryMode::kOff) {
    return false;
  }
  ASSIGN_OR_RETURN(PgConnection source, options_.connector.OpenSource("types"));
  ASSIGN_OR_RETURN(std::optional<TargetTypes> types,
                   ReadTypesForBinary(source, sessions_.front()->connection(),
                                      options_.publications));
  if (!types) return false;
  options_.gate = GateOfBinary(std::move(options_.gate), *std::move(types));
  return true;
}

// A transaction keeps the lock on its id until snapshots show its end. Nobody
// applies anything any more by now that this stream does not.
absl::Status StreamRun::ReadOlderTransactions(PgConnection& walsender) {
  const absl::StatusOr<PgResult> rows = walsender.Exec(
      "SELECT l.transactionid, t.now FROM (SELECT "
      "pg_catalog.clock_timestamp()) "
      "AS t (now) LEFT JOIN pg_catalog.pg_locks l ON l.locktype = "
      "'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted");
  if (!rows.ok()) return Annotate(rows.status(), "source: its transactions");
  began_at_ = std::string(rows->Text(0, 1));
  for (int row = 0; row < rows->rows(); ++row) {
    if (rows->IsNull(row, 0)) continue;
    older_transactions_.emplace_back(rows->Text(row, 0));
  }
  return absl::OkStatus();
}

// A session that has begun a statement since, or waits for its client, was not
// at the end of its transaction when the stream began.
absl::StatusOr<std::string> StreamRun::older_transactions(
    PgConnection& source) {
  if (older_transactions_.empty()) return "";
  const absl::StatusOr<PgResult> rows = source.Exec(absl::StrCat(
      "SELECT l.transactionid, CASE WHEN p.gid IS NOT NULL THEN "
      "pg_catalog.format('prepared transaction %L of user %s', p.gid, p.owner) "
      "ELSE pg_catalog.format('session %s of user %s', l.pid, "
      "coalesce(a.usename, '?')) END FROM pg_catalog.pg_locks l LEFT JOIN "
      "pg_catalog.pg_stat_activity a USING (pid) LEFT JOIN "
      "pg_catalog.pg_prepared_xacts p ON p.transaction = l.transactionid WHERE "
      "l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted "
      "AND coalesce(a.datname, p.database, current_database()) = "
      "current_database() AND l.transactionid::text = ANY (",
      QuoteTextArray(older_transactions_),
      ") AND NOT coalesce(a.state LIKE 'idle in transaction%' OR "
      "a.query_start > ",
      QuoteLiteral(began_at_), ", false) ORDER BY 2"));
  if (!rows.ok()) return Annotate(rows.status(), "source: its transactions");
  older_transactions_.clear();
  std::vector<std::string> who;
  for (int row = 0; row < rows->rows(); ++row) {
    older_transactions_.emplace_back(rows->Text(row, 0));
    if (who.empty() || who.back() != rows->Text(row, 1)) {
      who.emplace_back(rows->Text(row, 1));
    }
  }
  return absl::StrJoin(who, ", ");
}

std::vector<std::unique_ptr<AheadApplier>> StreamRun::MakeAppliers() {
  KeysInFlight* in_flight = sessions_.size() > 1 ? &in_flight_ : nullptr;
  std::vector<std::unique_ptr<AheadApplier>> appliers;
  for (const std::unique_ptr<ApplySession>& session : sessions_) {
    appliers.push_back(MakeAheadApplier(*session, in_flight));
  }
  return appliers;
}

void StreamRun::Read() {
  const absl::Status status = reader_->Run();
  if (!status.ok()) End(OfSide("source", status));
}

void StreamRun::End(const absl::Status& status,
                    const std::optional<Conflict>& conflict) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_) {
      ended_ = status;
      conflict_ = conflict;
    }
  }
  // Nothing has failed where text is needed: what is being committed may be.
  if (!status.ok() && !IsTextNeeded(status)) failed_.Raise();
  meeting_->Close();
  queue_->Close();
  pool_->Close();
  reader_->Stop();
}

std::optional<absl::Status> StreamRun::ended() const {
  absl::MutexLock lock(&mutex_);
  return ended_;
}

std::optional<Conflict> StreamRun::conflict() const {
  absl::MutexLock lock(&mutex_);
  return conflict_;
}

std::optional<absl::Time> StreamRun::oldest_pending() const {
  const std::optional<int64_t> commit_time = queue_->OldestCommitTime();
  if (!commit_time) return std::nullopt;
  return FromPgTime(*commit_time);
}

absl::Status StreamRun::Stop() {
  if (pool_ == nullptr) return ended().value_or(absl::OkStatus());
  meeting_->Close();
  queue_->Close();
  reader_->Stop();
  pool_->Close();
  pool_->Join();
  if (reading_.joinable()) reading_.join();
  pool_.reset();
  sessions_.clear();
  const absl::Status ended = this->ended().value_or(absl::OkStatus());
  const bool goes_on = ended.ok() || IsTextNeeded(ended);
  if (!goes_on || stream_->connection().broken()) return ended;
  // The reader may have stopped before the last batch was durable.
  const Lsn applied = state_->applied();
  const absl::Status sent =
      stream_->Send({.write = applied,
                     .flush = applied,
                     .apply = applied,
                     .client_time = ToPgTime(absl::Now())});
  if (!sent.ok()) return ended.ok() ? sent : ended;
  // A walsender in the middle of a large transaction does not listen. It has
  // been told the position, and ends when it finds the link closed.
  stream_->Finish(kFinishTimeout).IgnoreError();
  return ended;
}

}  // namespace walferry
