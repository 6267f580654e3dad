#ifndef TESTS_TESTING_SQL_H_
#define TESTS_TESTING_SQL_H_

// A small SQL client for tests, on libpq alone: what it reports about a
// database does not pass through any code that is under test.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libpq-fe.h"

namespace walferry {

// Rows of text values; nullopt is NULL.
using SqlRow = std::vector<std::optional<std::string>>;
using SqlRows = std::vector<SqlRow>;

// Blocking; closed when destroyed. Notices are dropped. Errors are kUnknown:
// "SQLSTATE: message: statement"; a failed connection is kUnavailable.
class SqlConnection {
 public:
  static absl::StatusOr<SqlConnection> Open(const std::string& conninfo);

  // Without parameters `sql` may be several statements divided by semicolons,
  // and the rows are the last one's.
  absl::Status Exec(const std::string& sql);
  absl::StatusOr<SqlRows> Query(const std::string& sql,
                                const SqlRow& parameters = {});

  // Exactly one row of one column, not NULL.
  absl::StatusOr<std::string> QueryValue(const std::string& sql);

  // For what this class does not offer: COPY, pipelines, replication.
  PGconn* raw() { return connection_.get(); }

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  explicit SqlConnection(PGconn* connection) : connection_(connection) {}

  std::unique_ptr<PGconn, Closer> connection_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_SQL_H_
