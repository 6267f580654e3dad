#ifndef BENCH_COPY_COPY_SERVERS_H_
#define BENCH_COPY_COPY_SERVERS_H_

// A source that holds the sample database, and a target with an empty database
// for each who is to copy it.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/copy/command_queue.h"
#include "bench/copy/result.h"
#include "bench/copy/sample_database.h"
#include "engine/schema/pg_tools.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"

namespace walferry {

class CopyServers {
 public:
  // Starts both servers and fills the source's database app.
  static absl::StatusOr<std::unique_ptr<CopyServers>> Start(double scale);

  // An empty database `name` on the target. Nothing of what went before runs
  // on: a clock may start.
  absl::Status CreateTarget(const std::string& name) const;

  // Whether it holds the source's rows and indexes; drops it.
  absl::Status CheckAndDrop(const std::string& name) const;

  const PgServer& source() const { return *source_; }
  const PgServer& target() const { return *target_; }
  std::string source_conninfo() const { return source_->ConnInfo("app"); }
  const std::vector<SampleTable>& tables() const { return tables_; }
  const PgTools& tools() const { return tools_; }

  // psql with one statement.
  Command Psql(const std::string& conninfo, const std::string& sql) const;

  absl::StatusOr<CopySetting> Setting() const;

 private:
  CopyServers(std::unique_ptr<PgServer> source,
              std::unique_ptr<PgServer> target, PgTools tools, double scale)
      : source_(std::move(source)),
        target_(std::move(target)),
        tools_(std::move(tools)),
        tables_(SampleDatabase(scale)) {}

  absl::Status Fill();

  const std::unique_ptr<PgServer> source_;
  const std::unique_ptr<PgServer> target_;
  const PgTools tools_;
  const std::vector<SampleTable> tables_;
  DatabaseFingerprint fingerprint_;  // Of the source, which does not change.
};

}  // namespace walferry

#endif  // BENCH_COPY_COPY_SERVERS_H_
