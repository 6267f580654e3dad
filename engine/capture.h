#ifndef ENGINE_CAPTURE_H_
#define ENGINE_CAPTURE_H_

// Recording a live stream, and running a record at full speed: for tuning
// decode and apply without a source.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "protocol/lsn.h"

namespace walferry {

struct CaptureOptions {
  std::string source;
  std::vector<std::string> publications;
  // "": a temporary slot, so that the record begins now. A slot that is named
  // keeps its position.
  std::string slot;
  std::string output;
  // Ends when everything that committed before it is recorded, or when told to.
  std::optional<Lsn> until_lsn;
};

struct CaptureReport {
  int64_t frames = 0;
  int64_t bytes = 0;
  absl::Duration elapsed;
};

// Until until_lsn, Control::RequestCutover() or RequestStop(): all of them end
// the record well.
absl::StatusOr<CaptureReport> RunCapture(const CaptureOptions& options,
                                         Control& control, EventSink& events);

struct ReplayOptions {
  std::string input;
  // "": decode only, and walk every column. Otherwise the changes are applied
  // to the target's existing tables as a follow would, under a ledger of its
  // own that is dropped at the end. The target must be where the record began.
  std::string target;
  std::string ledger_schema = "walferry_replay";
  // Decode so many times.
  int repeat = 1;
  size_t batch_bytes = size_t{4} << 20;
};

struct ReplayReport {
  int64_t messages = 0;
  int64_t bytes = 0;  // Of frames.
  int64_t changes = 0;
  int64_t value_bytes = 0;   // Of the rows' values, when decoding only.
  int64_t transactions = 0;  // Applied; 0 when decoding only.
  absl::Duration elapsed;
};

// kDataLoss: the record is damaged, or its messages are out of order.
absl::StatusOr<ReplayReport> RunReplay(const ReplayOptions& options,
                                       Control& control);

}  // namespace walferry

#endif  // ENGINE_CAPTURE_H_
