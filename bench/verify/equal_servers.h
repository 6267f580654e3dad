#ifndef BENCH_VERIFY_EQUAL_SERVERS_H_
#define BENCH_VERIFY_EQUAL_SERVERS_H_

// Two servers with the sample database of bench/copy, which is the same on
// both.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/copy/sample_database.h"
#include "tests/testing/pg_server.h"

namespace walferry {

class EqualServers {
 public:
  // Starts both, fills both, and compares them.
  static absl::StatusOr<std::unique_ptr<EqualServers>> Start(double scale);

  const PgServer& source() const { return *source_; }
  const PgServer& target() const { return *target_; }
  const std::vector<SampleTable>& tables() const { return tables_; }

  // Of one side: a table's size with its TOAST, and that of all of them.
  absl::StatusOr<int64_t> BytesOf(const std::string& table) const;
  absl::StatusOr<int64_t> Bytes() const;

 private:
  EqualServers(std::unique_ptr<PgServer> source,
               std::unique_ptr<PgServer> target, double scale)
      : source_(std::move(source)),
        target_(std::move(target)),
        tables_(SampleDatabase(scale)) {}

  absl::Status Fill(const PgServer& server) const;

  const std::unique_ptr<PgServer> source_;
  const std::unique_ptr<PgServer> target_;
  const std::vector<SampleTable> tables_;
};

}  // namespace walferry

#endif  // BENCH_VERIFY_EQUAL_SERVERS_H_
