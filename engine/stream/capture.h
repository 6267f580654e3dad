#ifndef ENGINE_STREAM_CAPTURE_H_
#define ENGINE_STREAM_CAPTURE_H_

// Recording a live stream, and running a record at full speed: for tuning
// decode and apply without a source.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/batch_size.h"
#include "engine/control.h"
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
  absl::Duration connect_timeout = kDefaultConnectTimeout;
};

struct CaptureReport {
  std::string slot;  // That is read; also the name of a temporary one.
  int64_t frames = 0;
  int64_t bytes = 0;  // Of frames, before compression.
  absl::Duration elapsed;
};

// Called when the recording begins and about every second of it.
using CaptureProgress = std::function<void(const CaptureReport& so_far)>;

// Until until_lsn, Control::RequestCutover() or RequestStop(): all of them end
// the record well. So does a lost source, but it is an error; the hint says
// what the file holds. kAlreadyExists: a file is never written over.
absl::StatusOr<CaptureReport> RunCapture(const CaptureOptions& options,
                                         Control& control,
                                         const CaptureProgress& progress);

struct ReplayOptions {
  std::string input;
  // "": decode only, and walk every column. Otherwise the changes are applied
  // to the target's existing tables as a follow would, under a ledger of its
  // own that is dropped at the end. The target must be where the record began.
  std::string target;
  std::string ledger_schema = "walferry_replay";
  // Decode so many times.
  int repeat = 1;
  size_t batch_bytes = BatchBytesFor(kDefaultMemory, /*apply_jobs=*/1);
  absl::Duration connect_timeout = kDefaultConnectTimeout;
};

struct ReplayReport {
  int64_t messages = 0;
  int64_t bytes = 0;  // Of frames.
  int64_t changes = 0;
  int64_t value_bytes = 0;   // Of the rows' values, when decoding only.
  int64_t transactions = 0;  // Applied; 0 when decoding only.
  absl::Duration elapsed;
};

// Keeps the whole record in memory. kDataLoss: it is damaged, or its messages
// are out of order. kCancelled: stopped while decoding. kFailedPrecondition:
// stopped while applying, among others: a replay cannot be gone on with.
absl::StatusOr<ReplayReport> RunReplay(const ReplayOptions& options,
                                       Control& control);

}  // namespace walferry

#endif  // ENGINE_STREAM_CAPTURE_H_
