#ifndef TOOLS_EVENTS_OUTPUT_H_
#define TOOLS_EVENTS_OUTPUT_H_

// Where --events goes: a file that it opens, or the results' stream.

#include <fstream>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"

namespace walferry {

class EventsOutput {
 public:
  // `path` is appended to, on a new line; "-" means `out`, which outlives it.
  // kInvalidArgument: it cannot be opened.
  static absl::StatusOr<std::unique_ptr<EventsOutput>> Open(
      const std::string& path, std::ostream& out);

  std::ostream& stream() { return *stream_; }

 private:
  std::ofstream file_;
  std::ostream* stream_ = nullptr;
};

}  // namespace walferry

#endif  // TOOLS_EVENTS_OUTPUT_H_
