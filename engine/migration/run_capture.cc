// RunCapture: writes a walsender's frames to a file.

#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/catalog/publication.h"
#include "engine/connect/connect.h"
#include "engine/stream/capture.h"
#include "engine/stream/capture_file.h"
#include "protocol/pg_time.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kStatusInterval = absl::Seconds(1);
constexpr absl::Duration kNap = absl::Milliseconds(50);

// Keeps the source's patience without moving the slot.
absl::Status SayAlive(ReplicationStream& stream, bool reply_requested) {
  return stream.Send({.client_time = ToPgTime(absl::Now()),
                      .reply_requested = reply_requested});
}

// Whether everything before `until` has come, judged by this frame.
absl::StatusOr<bool> IsBehind(absl::string_view bytes, Lsn until) {
  ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
  if (const auto* keepalive = std::get_if<Keepalive>(&frame)) {
    return keepalive->wal_end >= until;
  }
  ASSIGN_OR_RETURN(const Message message,
                   DecodeMessage(std::get<XLogData>(frame).payload));
  const auto* begin = std::get_if<Begin>(&message);
  return begin != nullptr && begin->final_lsn >= until;
}

// Until everything before until_lsn has come, or until told to end.
absl::Status Receive(const CaptureOptions& options, ReplicationStream& stream,
                     CaptureWriter& writer, const Control& control,
                     const std::function<void()>& tell) {
  absl::Time next_status = absl::InfinitePast();
  while (!control.cutover_requested() && !control.stop_requested()) {
    const absl::Time now = absl::Now();
    if (now >= next_status) {
      tell();
      RETURN_IF_ERROR(SayAlive(stream, options.until_lsn.has_value()));
      next_status = now + kStatusInterval;
    }
    const auto frame = stream.Next(now + kNap);
    RETURN_IF_ERROR(frame.status());
    if (!*frame) continue;
    if (options.until_lsn) {
      ASSIGN_OR_RETURN(const bool behind,
                       IsBehind(**frame, *options.until_lsn));
      if (behind) return absl::OkStatus();
    }
    RETURN_IF_ERROR(writer.Add(**frame));
  }
  return absl::OkStatus();
}

// What has come is a record, however its stream ended.
absl::Status Record(const CaptureOptions& options, ReplicationStream& stream,
                    CaptureWriter& writer, const Control& control,
                    const std::function<void()>& tell) {
  const absl::Status received = Receive(options, stream, writer, control, tell);
  const absl::Status finished = writer.Finish();
  if (received.ok() || absl::IsCancelled(received)) return finished;
  if (!finished.ok()) return received;
  return WithHint(received, absl::StrCat(options.output,
                                         " holds what came before and can be "
                                         "replayed"));
}

// The slot's name, once it exists.
absl::StatusOr<std::string> SlotOf(const CaptureOptions& options,
                                   PgConnection& walsender) {
  if (!options.slot.empty()) return options.slot;
  const std::string slot =
      absl::StrCat("walferry_capture_", std::random_device{}());
  RETURN_IF_ERROR(
      CreateSlot(walsender,
                 {.slot = slot, .temporary = true, .export_snapshot = false})
          .status());
  return slot;
}

struct OpenedStream {
  std::string slot;
  std::unique_ptr<ReplicationStream> stream;
};

absl::StatusOr<OpenedStream> OpenStream(const CaptureOptions& options,
                                        const Control& control) {
  const Connector connector{
      .endpoints = {.source = options.source,
                    .target = "",
                    .name = "capture",
                    .connect_timeout = options.connect_timeout},
      .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection source,
                   connector.OpenSource("capture", Contact::kFirst));
  RETURN_IF_ERROR(CheckPublications(source, options.publications));
  ASSIGN_OR_RETURN(PgConnection walsender,
                   connector.OpenWalsender(kCaptureEncoding));
  OpenedStream opened;
  ASSIGN_OR_RETURN(opened.slot, SlotOf(options, walsender));
  ASSIGN_OR_RETURN(opened.stream, ReplicationStream::Start(
                                      std::move(walsender),
                                      {.slot = opened.slot,
                                       .publications = options.publications}));
  return opened;
}

}  // namespace

absl::StatusOr<CaptureReport> RunCapture(const CaptureOptions& options,
                                         Control& control,
                                         const CaptureProgress& progress) {
  // First: making a slot may take as long as the source's transactions.
  ASSIGN_OR_RETURN(CaptureWriter writer, CaptureWriter::Create(options.output));
  absl::StatusOr<OpenedStream> opened = OpenStream(options, control);
  if (!opened.ok()) {
    // An empty record would only be in the way of the next attempt.
    std::remove(options.output.c_str());
    return opened.status();
  }
  CaptureReport report = {.slot = opened->slot};
  const absl::Time started = absl::Now();
  const auto count = [&] {
    report.frames = writer.frames();
    report.bytes = writer.bytes();
    report.elapsed = absl::Now() - started;
  };
  RETURN_IF_ERROR(Record(options, *opened->stream, writer, control, [&] {
    count();
    progress(report);
  }));
  count();
  return report;
}

}  // namespace walferry
