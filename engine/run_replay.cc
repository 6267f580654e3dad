// RunReplay: a recorded stream at full speed.

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "apply/apply_session.h"
#include "apply/exact_applier.h"
#include "engine/batch_builder.h"
#include "engine/capture.h"
#include "engine/capture_file.h"
#include "engine/connect.h"
#include "engine/ledger.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"
#include "protocol/transaction_state.h"

namespace walferry {
namespace {

// Touches every byte that an applier would look at.
int64_t Walk(const TupleView& row) {
  int64_t bytes = 0;
  for (TupleView::Walker walk(row); !walk.done();) {
    bytes += static_cast<int64_t>(walk.Next().value.size());
  }
  return bytes;
}

struct Decoded {
  int64_t messages = 0;
  int64_t changes = 0;
  int64_t value_bytes = 0;
};

absl::Status DecodeAll(const Capture& capture, Decoded& decoded) {
  TransactionState order;
  for (const absl::string_view bytes : capture.frames()) {
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
    const auto* data = std::get_if<XLogData>(&frame);
    if (data == nullptr) continue;
    ASSIGN_OR_RETURN(
        const Message message,
        DecodeMessage(data->payload,
                      {.in_stream_block = order.in_stream_block()}));
    RETURN_IF_ERROR(order.Accept(message));
    ++decoded.messages;
    if (const auto* insert = std::get_if<Insert>(&message)) {
      decoded.value_bytes += Walk(insert->row);
      ++decoded.changes;
    } else if (const auto* update = std::get_if<Update>(&message)) {
      decoded.value_bytes += Walk(update->old_row) + Walk(update->row);
      ++decoded.changes;
    } else if (const auto* removal = std::get_if<Delete>(&message)) {
      decoded.value_bytes += Walk(removal->old_row);
      ++decoded.changes;
    }
  }
  return absl::OkStatus();
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
                      Applier& applier, ReplayReport& report) {
  BatchBuilder builder(
      {.batch_bytes = options.batch_bytes,
       .gate = [](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
         return RelationPolicy{};
       }});
  for (const absl::string_view bytes : capture.frames()) {
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
    const auto* data = std::get_if<XLogData>(&frame);
    if (data == nullptr) continue;
    RETURN_IF_ERROR(builder.Take(data->payload));
    ++report.messages;
    if (builder.full()) RETURN_IF_ERROR(ApplyBatch(applier, builder, report));
  }
  // A record may end inside a transaction: that one is not applied.
  if (!builder.HasWholeTransactions()) return absl::OkStatus();
  return ApplyBatch(applier, builder, report);
}

absl::StatusOr<ReplayReport> Apply(const ReplayOptions& options,
                                   const Capture& capture,
                                   const Control& control) {
  const Connector connector{
      .endpoints = {.source = "",
                    .target = options.target,
                    .name = "replay",
                    .ledger_schema = options.ledger_schema},
      .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection target, connector.OpenTarget("replay"));
  Ledger ledger(target,
                {.schema = options.ledger_schema, .migration = "replay"});
  RETURN_IF_ERROR(ledger.Create());
  ReplayReport report;
  report.bytes = capture.bytes();
  absl::Status status;
  {
    ASSIGN_OR_RETURN(
        const std::unique_ptr<ApplySession> session,
        ApplySession::Open({.target = connector.TargetOptions("replay"),
                            .ledger_schema = options.ledger_schema,
                            .identity = {.name = "replay",
                                         .system_identifier = "replay",
                                         .slot = "replay",
                                         .dbname = "replay"}}));
    const std::unique_ptr<Applier> applier = MakeExactApplier(*session);
    const absl::Time started = absl::Now();
    status = ApplyAll(options, capture, *applier, report);
    report.elapsed = absl::Now() - started;
  }
  const absl::Status forgotten = ledger.Forget();
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(forgotten);
  return report;
}

}  // namespace

absl::StatusOr<ReplayReport> RunReplay(const ReplayOptions& options,
                                       Control& control) {
  ASSIGN_OR_RETURN(const Capture capture, Capture::Read(options.input));
  if (!options.target.empty()) return Apply(options, capture, control);
  Decoded decoded;
  const absl::Time started = absl::Now();
  for (int round = 0; round < options.repeat; ++round) {
    RETURN_IF_ERROR(DecodeAll(capture, decoded));
  }
  return ReplayReport{.messages = decoded.messages,
                      .bytes = capture.bytes() * options.repeat,
                      .changes = decoded.changes,
                      .value_bytes = decoded.value_bytes,
                      .elapsed = absl::Now() - started};
}

}  // namespace walferry
