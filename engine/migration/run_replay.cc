// RunReplay: a recorded stream at full speed.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "apply/apply_session.h"
#include "apply/batch_applier.h"
#include "engine/connect/connect.h"
#include "engine/connect/retry_policy.h"
#include "engine/cutover/created_objects.h"
#include "engine/ledger/ledger.h"
#include "engine/stream/batch_builder.h"
#include "engine/stream/capture.h"
#include "engine/stream/capture_file.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"
#include "protocol/transaction_state.h"

namespace walferry {
namespace {

// Names everything that a replay makes on the target.
constexpr char kReplay[] = "replay";

// Touches every byte that an applier would look at.
int64_t Walk(const TupleView& row) {
  int64_t bytes = 0;
  for (TupleView::Walker walk(row); !walk.done();) {
    bytes += static_cast<int64_t>(walk.Next().value.size());
  }
  return bytes;
}

using Frames = absl::Span<const absl::string_view>;

// Hands every message to `take`, and counts. Errors name the frame.
template <typename Take>
absl::Status ForEachMessage(const ReplayOptions& options, Frames frames,
                            const Control& control, ReplayReport& report,
                            Take take) {
  const auto take_frame = [&](absl::string_view bytes) -> absl::Status {
    if (control.stop_requested()) {
      return absl::CancelledError("stopped on request");
    }
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
    report.bytes += static_cast<int64_t>(bytes.size());
    const auto* data = std::get_if<XLogData>(&frame);
    if (data == nullptr) return absl::OkStatus();
    ++report.messages;
    return take(data->payload);
  };
  for (size_t at = 0; at < frames.size(); ++at) {
    const absl::Status status = take_frame(frames[at]);
    if (status.ok()) continue;
    return Annotate(
        status, absl::StrCat("capture ", options.input, ", at frame ", at + 1));
  }
  return absl::OkStatus();
}

absl::Status DecodeAll(const ReplayOptions& options, const Capture& capture,
                       const Control& control, ReplayReport& report) {
  TransactionState order;
  return ForEachMessage(
      options, capture.frames(), control, report,
      [&](absl::string_view payload) -> absl::Status {
        ASSIGN_OR_RETURN(const Message message,
                         DecodeMessage(payload, {.in_stream_block =
                                                     order.in_stream_block()}));
        RETURN_IF_ERROR(order.Accept(message));
        if (const auto* insert = std::get_if<Insert>(&message)) {
          report.value_bytes += Walk(insert->row);
          ++report.changes;
        } else if (const auto* update = std::get_if<Update>(&message)) {
          report.value_bytes += Walk(update->old_row) + Walk(update->row);
          ++report.changes;
        } else if (const auto* removal = std::get_if<Delete>(&message)) {
          report.value_bytes += Walk(removal->old_row);
          ++report.changes;
        }
        return absl::OkStatus();
      });
}

// The frames up to the last commit: a record may end inside a transaction,
// which is not applied.
absl::StatusOr<Frames> WholeTransactions(const Capture& capture) {
  Frames frames = capture.frames();
  for (; !frames.empty(); frames.remove_suffix(1)) {
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(frames.back()));
    const auto* data = std::get_if<XLogData>(&frame);
    if (data == nullptr) continue;
    ASSIGN_OR_RETURN(const Message message, DecodeMessage(data->payload));
    if (std::holds_alternative<Commit>(message)) break;
  }
  return frames;
}

// Applies what is left of a batch, and counts.
absl::Status ApplyBatch(Applier& applier, BatchBuilder& builder,
                        ReplayReport& report) {
  const std::unique_ptr<ChangeBatch> batch = builder.TakeBatch();
  if (batch->empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ApplyCounts counts, applier.Apply(*batch));
  report.transactions += counts.transactions;
  report.changes +=
      counts.inserts + counts.updates + counts.deletes + counts.truncates;
  return absl::OkStatus();
}

absl::Status ApplyAll(const ReplayOptions& options, const Capture& capture,
                      const Control& control, Applier& applier,
                      ReplayReport& report) {
  BatchBuilder builder(
      {.batch_bytes = options.batch_bytes,
       .gate = [](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
         return RelationPolicy{};
       }});
  ASSIGN_OR_RETURN(const Frames frames, WholeTransactions(capture));
  const auto take = [&](absl::string_view payload) -> absl::Status {
    RETURN_IF_ERROR(builder.Take(payload));
    if (!builder.full()) return absl::OkStatus();
    return ApplyBatch(applier, builder, report);
  };
  RETURN_IF_ERROR(ForEachMessage(options, frames, control, report, take));
  return ApplyBatch(applier, builder, report);
}

// Whatever it was that ended the replay, the target may hold a part of the
// record now, and only the operator can take it back.
absl::Status PartlyApplied(const absl::Status& status) {
  absl::Status error = status;
  if (IsResumable(status)) {
    error = absl::FailedPreconditionError(status.message());
    status.ForEachPayload([&](absl::string_view type, const absl::Cord& value) {
      error.SetPayload(type, value);
    });
  }
  return WithHint(std::move(error),
                  "the target may hold a part of the record: bring it back to "
                  "where the record began before the next replay");
}

absl::StatusOr<ReplayReport> ApplyInSession(const ReplayOptions& options,
                                            const Capture& capture,
                                            const Control& control,
                                            const Connector& connector) {
  PgConnectOptions target = connector.TargetOptions(kReplay);
  target.client_encoding = std::string(kCaptureEncoding);
  ASSIGN_OR_RETURN(
      const std::unique_ptr<ApplySession> session,
      ApplySession::Open({.target = std::move(target),
                          .ledger_schema = options.ledger_schema,
                          .identity = {.name = kReplay,
                                       .system_identifier = kReplay,
                                       .slot = kReplay,
                                       .dbname = kReplay}}));
  const std::unique_ptr<Applier> applier = MakeBatchApplier(*session);
  ReplayReport report;
  const absl::Time started = absl::Now();
  const absl::Status status =
      ApplyAll(options, capture, control, *applier, report);
  if (!status.ok()) return PartlyApplied(status);
  report.elapsed = absl::Now() - started;
  return report;
}

// No migration has this name, no other replay runs, and none was killed
// half-way: its position would still be there.
absl::Status CheckBegin(Ledger& ledger) {
  RETURN_IF_ERROR(ledger.Lock(absl::ZeroDuration()));
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> known, ledger.Read());
  if (known) {
    return WithHint(absl::AlreadyExistsError(absl::StrCat(
                        "target: the name ", kReplay, " is taken by a ",
                        known->kind, " of slot ", known->slot)),
                    "name another schema with --ledger-schema");
  }
  ASSIGN_OR_RETURN(const std::optional<LedgerStream> stream, ledger.Stream());
  if (!stream || !stream->applied_lsn.valid()) return absl::OkStatus();
  const std::string schema = QuoteIdentifier(ledger.sql().key().schema);
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "target: schema ", schema, " tells of a replay that was killed at ",
          stream->applied_lsn.ToString())),
      absl::StrCat("bring the target back to where the record began and DROP "
                   "SCHEMA ",
                   schema, " CASCADE there"));
}

// Over a connection of its own: one that was interrupted is of no use.
absl::Status DropReplay(const ReplayOptions& options, Connector connector) {
  connector.interrupt = nullptr;
  ASSIGN_OR_RETURN(PgConnection target, connector.OpenTarget(kReplay));
  RETURN_IF_ERROR(
      Ledger(target, {.schema = options.ledger_schema, .migration = kReplay})
          .Forget());
  ASSIGN_OR_RETURN(const std::string origin, OriginName(target, kReplay));
  // Nothing of it is on a source.
  return DropObject(
      {.side = Side::kTarget, .kind = "origin", .identity = origin}, target,
      target);
}

absl::StatusOr<ReplayReport> Apply(const ReplayOptions& options,
                                   const Capture& capture,
                                   const Control& control) {
  const Connector connector{
      .endpoints = {.source = "",
                    .target = options.target,
                    .name = kReplay,
                    .ledger_schema = options.ledger_schema,
                    .connect_timeout = options.connect_timeout},
      .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget(kReplay, Contact::kFirst));
  Ledger ledger(target,
                {.schema = options.ledger_schema, .migration = kReplay});
  RETURN_IF_ERROR(ledger.Create());
  RETURN_IF_ERROR(CheckBegin(ledger));
  absl::StatusOr<ReplayReport> report =
      ApplyInSession(options, capture, control, connector);
  const absl::Status dropped = DropReplay(options, connector);
  RETURN_IF_ERROR(report.status());
  RETURN_IF_ERROR(dropped);
  return report;
}

}  // namespace

absl::StatusOr<ReplayReport> RunReplay(const ReplayOptions& options,
                                       Control& control) {
  ASSIGN_OR_RETURN(const Capture capture, Capture::Read(options.input));
  if (!options.target.empty()) return Apply(options, capture, control);
  ReplayReport report;
  const absl::Time started = absl::Now();
  for (int round = 0; round < options.repeat; ++round) {
    RETURN_IF_ERROR(DecodeAll(options, capture, control, report));
  }
  report.elapsed = absl::Now() - started;
  return report;
}

}  // namespace walferry
