#ifndef TESTS_DIFFERENTIAL_NATIVE_REPLICA_H_
#define TESTS_DIFFERENTIAL_NATIVE_REPLICA_H_

// A database to which PostgreSQL's own subscription applies a stream.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"

namespace walferry {

class NativeReplica {
 public:
  // Subscribes the database to a publication of another one of the same
  // server, which outlives this. Nothing is copied: the tables are empty.
  static absl::StatusOr<std::unique_ptr<NativeReplica>> Create(
      const PgServer& server, const std::string& source_database,
      const std::string& database, const std::string& publication);

  // Waits for this row of public.marks. An error tells what stopped the
  // subscription.
  absl::Status WaitForMark(int mark);

  // Removes subscription and slot.
  absl::Status Drop();

 private:
  NativeReplica(const PgServer& server, SqlConnection connection)
      : server_(server), connection_(std::move(connection)) {}

  const PgServer& server_;
  SqlConnection connection_;
};

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_NATIVE_REPLICA_H_
