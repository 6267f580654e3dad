#include "engine/stream_run.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "apply/batch_applier.h"
#include "engine/slot_position.h"
#include "protocol/pg_time.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kFinishTimeout = absl::Seconds(5);

// A lost link does not say which.
absl::Status OfSide(absl::string_view side, const absl::Status& status) {
  return absl::IsUnavailable(status) ? Annotate(status, side) : status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StreamRun>> StreamRun::Start(
    StreamRunOptions options, EventSink& events) {
  std::unique_ptr<StreamRun> run(new StreamRun(std::move(options)));
  RETURN_IF_ERROR(run->Open(events));
  run->applying_ = std::thread([raw = run.get()] { raw->ApplyAll(); });
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
  auto session = ApplySession::Open(
      {.target = target,
       .ledger_schema = options_.connector.endpoints.ledger_schema,
       .identity = {.name = options_.connector.endpoints.name,
                    .system_identifier = source.system_identifier,
                    .slot = options_.slot,
                    .dbname = source.dbname},
       .trigger_guard = options_.trigger_guard,
       .start = options_.start.valid() ? options_.start : confirmed,
       .on_wait = [&events](absl::string_view text) {
         events.OnEvent(
             Notice{.level = Notice::Level::kInfo, .text = std::string(text)});
       }});
  if (!session.ok()) return Annotate(session.status(), "target");
  session_ = *std::move(session);
  const Lsn position = session_->position();
  RETURN_IF_ERROR(
      CheckSlotContinues(walsender, options_.slot, confirmed, position));

  ASSIGN_OR_RETURN(
      stream_, ReplicationStream::Start(std::move(walsender),
                                        {.slot = options_.slot,
                                         .publications = options_.publications,
                                         .start = position}));
  applier_ = MakeBatchApplier(*session_);
  state_ = std::make_unique<StreamState>(position);
  queue_ = std::make_unique<BatchQueue>(options_.stream.queue_bytes);
  builder_ = std::make_unique<BatchBuilder>(
      BatchBuilderOptions{.position = position,
                          .until = options_.until,
                          .batch_bytes = options_.stream.batch_bytes,
                          .gate = options_.gate});
  reader_ = std::make_unique<StreamReader>(
      *stream_, *builder_, *queue_, *state_,
      StreamReaderOptions{.until = options_.until,
                          .receive_timeout = options_.stream.receive_timeout});
  return absl::OkStatus();
}

void StreamRun::Read() {
  const absl::Status status = reader_->Run();
  if (!status.ok()) End(OfSide("source", status));
}

void StreamRun::ApplyAll() {
  while (std::optional<QueueItem> item = queue_->Pop()) {
    const absl::Status status = ApplyItem(*applier_, *item);
    if (!status.ok()) {
      {
        absl::MutexLock lock(&mutex_);
        if (!ended_) conflict_ = applier_->conflict();
      }
      End(OfSide("target", status));
      return;
    }
    queue_->Finished();
    if (options_.until && state_->applied() >= *options_.until) {
      End(absl::OkStatus());
      return;
    }
  }
}

absl::Status StreamRun::ApplyItem(Applier& applier, const QueueItem& item) {
  if (item.batch == nullptr) {
    if (item.advance <= state_->applied()) return absl::OkStatus();
    RETURN_IF_ERROR(applier.Advance(item.advance));
    state_->SetApplied(item.advance);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const ApplyCounts counts, applier.Apply(*item.batch));
  uncommitted_ = Sum(uncommitted_, counts);
  if (item.batch->open()) return absl::OkStatus();
  state_->Add(std::exchange(uncommitted_, {}));
  state_->SetApplied(item.batch->end_lsn());
  return absl::OkStatus();
}

void StreamRun::End(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ended_) ended_ = status;
  }
  if (!status.ok()) failed_.Raise();
  queue_->Close();
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
  queue_->Close();
  reader_->Stop();
  if (applying_.joinable()) applying_.join();
  if (reading_.joinable()) reading_.join();
  applier_.reset();
  session_.reset();
  const absl::Status ended = this->ended().value_or(absl::OkStatus());
  if (!ended.ok() || stream_->connection().broken()) return ended;
  // The reader may have stopped before the last batch was durable.
  const Lsn applied = state_->applied();
  RETURN_IF_ERROR(stream_->Send({.write = applied,
                                 .flush = applied,
                                 .apply = applied,
                                 .client_time = ToPgTime(absl::Now())}));
  // A walsender in the middle of a large transaction does not listen. It has
  // been told the position, and ends when it finds the link closed.
  stream_->Finish(kFinishTimeout).IgnoreError();
  return absl::OkStatus();
}

}  // namespace walferry
