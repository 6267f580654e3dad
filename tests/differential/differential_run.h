#ifndef TESTS_DIFFERENTIAL_DIFFERENTIAL_RUN_H_
#define TESTS_DIFFERENTIAL_DIFFERENTIAL_RUN_H_

// One seed: a random application on a source, applied by walferry in sets, by
// walferry change by change, and by PostgreSQL's own subscription. All must
// hold what the source holds.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tests/differential/dice.h"
#include "tests/differential/native_replica.h"
#include "tests/differential/random_schema.h"
#include "tests/differential/walferry_replica.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"

namespace walferry {

class DifferentialRun {
 public:
  // Of databases of its own on the server, which outlives it.
  DifferentialRun(const PgServer& server, uint64_t seed);

  // A failure says what differs, or what went wrong.
  testing::AssertionResult Run();

  // What it takes to see it again: the options, the schema, and what the
  // sessions did, in the order in which they did it.
  std::string Report() const;

  int64_t fallbacks() const { return fallbacks_; }

 private:
  absl::Status Play();
  absl::Status SetUp();
  absl::Status CreateDatabases();
  absl::Status Write(bool late_columns);
  absl::Status CatchUp();
  absl::Status PrepareComparison();
  absl::Status CompareAll();
  absl::Status Compare(absl::string_view left, absl::string_view right,
                       CompareOptions options) const;
  absl::Status CompareCounts() const;
  absl::Status TearDown();
  absl::Status OnTargets(const std::string& sql) const;
  std::string Name(absl::string_view side) const;

  const PgServer& server_;
  const uint64_t seed_;
  Dice dice_;  // Of the options, and what else is no part of the workload.
  RandomSchema schema_;
  std::string source_sql_;
  std::string target_sql_;
  ReplicaOptions sets_options_;
  ReplicaOptions single_options_;
  std::unique_ptr<SqlConnection> source_;
  std::unique_ptr<SqlConnection> decoder_;
  std::unique_ptr<WalferryReplica> sets_;
  std::unique_ptr<WalferryReplica> single_;
  std::unique_ptr<NativeReplica> native_;
  bool late_columns_ = false;
  int mark_ = 0;
  int64_t fallbacks_ = 0;
  uint32_t sessions_ = 0;  // Drawn so far.
  std::vector<std::string> journal_;
};

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_DIFFERENTIAL_RUN_H_
