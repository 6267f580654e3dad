// RunCapture: writes a walsender's frames to a file.

#include <memory>
#include <random>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/capture.h"
#include "engine/capture_file.h"
#include "engine/connect.h"
#include "engine/publication.h"
#include "protocol/overloaded.h"
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

absl::Status Record(const CaptureOptions& options, ReplicationStream& stream,
                    CaptureWriter& writer, const Control& control) {
  absl::Time next_status = absl::InfinitePast();
  while (!control.cutover_requested() && !control.stop_requested()) {
    const absl::Time now = absl::Now();
    if (now >= next_status) {
      RETURN_IF_ERROR(SayAlive(stream, options.until_lsn.has_value()));
      next_status = now + kStatusInterval;
    }
    const auto frame = stream.Next(now + kNap);
    if (absl::IsCancelled(frame.status())) break;
    RETURN_IF_ERROR(frame.status());
    if (!*frame) continue;
    if (options.until_lsn) {
      ASSIGN_OR_RETURN(const bool behind,
                       IsBehind(**frame, *options.until_lsn));
      if (behind) break;
    }
    RETURN_IF_ERROR(writer.Add(**frame));
  }
  return writer.Finish();
}

}  // namespace

absl::StatusOr<CaptureReport> RunCapture(const CaptureOptions& options,
                                         Control& control, EventSink& events) {
  const Connector connector{
      .endpoints = {.source = options.source, .target = "", .name = "capture"},
      .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection source, connector.OpenSource("capture"));
  RETURN_IF_ERROR(CheckPublications(source, options.publications));
  ASSIGN_OR_RETURN(
      PgConnection walsender,
      connector.OpenWalsender(source.parameter("server_encoding")));
  std::string slot = options.slot;
  if (slot.empty()) {
    slot = absl::StrCat("walferry_capture_", std::random_device{}());
    RETURN_IF_ERROR(
        CreateSlot(walsender,
                   {.slot = slot, .temporary = true, .export_snapshot = false})
            .status());
  }
  ASSIGN_OR_RETURN(CaptureWriter writer, CaptureWriter::Create(options.output));
  ASSIGN_OR_RETURN(const std::unique_ptr<ReplicationStream> stream,
                   ReplicationStream::Start(
                       std::move(walsender),
                       {.slot = slot, .publications = options.publications}));
  events.OnEvent(Notice{
      .text = absl::StrCat("recording slot ", slot, " to ", options.output)});
  const absl::Time started = absl::Now();
  RETURN_IF_ERROR(Record(options, *stream, writer, control));
  return CaptureReport{.frames = writer.frames(),
                       .bytes = writer.bytes(),
                       .elapsed = absl::Now() - started};
}

}  // namespace walferry
