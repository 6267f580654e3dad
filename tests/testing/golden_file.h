#ifndef TESTS_TESTING_GOLDEN_FILE_H_
#define TESTS_TESTING_GOLDEN_FILE_H_

// What real servers sent: tests/golden/pg<major>/<scenario>.hex, one message
// per line, written by tests/golden/capture.cc from
// tests/golden/scenarios/<scenario>.sql.

#include <set>
#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "protocol/pgoutput.h"

namespace walferry {

struct GoldenFile {
  int server = 0;        // Major version.
  std::string scenario;  // "plain".
  std::vector<std::string> payloads;

  // "pg18_plain", fit for the name of a test.
  std::string Name() const;

  // Whether the stream was started with streaming 'parallel'.
  bool parallel_streaming() const;
};

// The files in `directory` of the named scenarios (of all, if none is named),
// ordered by version and scenario.
absl::StatusOr<std::vector<GoldenFile>> ReadGoldenFiles(
    const std::string& directory, const std::set<std::string>& scenarios = {});

// The messages of a file, which they view. Their order is checked.
absl::StatusOr<std::vector<Message>> DecodeGoldenFile(
    const GoldenFile& file ABSL_ATTRIBUTE_LIFETIME_BOUND);

}  // namespace walferry

#endif  // TESTS_TESTING_GOLDEN_FILE_H_
