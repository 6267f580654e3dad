#ifndef BENCH_COPY_RESULT_H_
#define BENCH_COPY_RESULT_H_

// The figures of one way to copy the database.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace walferry {

// A stretch of a run, such as "copy" or "indexes". They need not fill it.
struct CopyPart {
  std::string name;
  absl::Duration elapsed;
};

struct CopyRun {
  absl::Duration elapsed;
  std::vector<CopyPart> parts;
  // Of the programs that were run, and of both servers with all their workers.
  absl::Duration client_cpu;
  absl::Duration source_cpu;
  absl::Duration target_cpu;
  // Of walferry alone.
  std::optional<int64_t> client_peak_kib;
};

// Everybody once, side by side; nothing stands for what was left out.
struct CopyResult {
  std::optional<CopyRun> dump;
  std::optional<CopyRun> floor;
  std::optional<CopyRun> walferry;
};

// What they all copy, and with what.
struct CopySetting {
  std::string server_version;
  int64_t database_bytes = 0;
  std::string dump_command;  // Of pg_dump, without what is different each time.
};

}  // namespace walferry

#endif  // BENCH_COPY_RESULT_H_
