#ifndef TESTS_TESTING_COPY_PAIR_H_
#define TESTS_TESTING_COPY_PAIR_H_

// A source and a target database on one server, and the initial copy from one
// to the other, step by step and as often interrupted as a test likes.
//
//   ASSERT_OK_AND_ASSIGN(auto pair, CopyPair::Create(*server));
//   ASSERT_OK(pair->Both("CREATE TABLE t (id int PRIMARY KEY)"));
//   ASSERT_OK(pair->Source("INSERT INTO t VALUES (1)"));
//   ASSERT_OK(pair->Begin());
//   ASSERT_OK(pair->Copy());
//   EXPECT_TRUE(pair->Equal());

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/control.h"
#include "engine/copy/copy_pool.h"
#include "engine/copy/range_lift.h"
#include "engine/copy/snapshot.h"
#include "engine/ledger/ledger.h"
#include "gtest/gtest.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"

namespace walferry {

struct CopyPairOptions {
  // Added to CREATE DATABASE.
  std::string source_options;
  std::string target_options;
  // Who copies; both exist and own nothing unless the test sees to it. Empty:
  // the superuser.
  std::string source_user;
  std::string target_user;
};

class CopyPair {
 public:
  // Creates both databases. The server outlives the pair.
  static absl::StatusOr<std::unique_ptr<CopyPair>> Create(
      const PgServer& server, CopyPairOptions options = {});
  ~CopyPair();

  // Statements as the superuser.
  absl::Status Source(const std::string& sql) { return source_->Exec(sql); }
  absl::Status Target(const std::string& sql) { return target_->Exec(sql); }
  absl::Status Both(const std::string& sql);
  SqlConnection& source() { return *source_; }
  SqlConnection& target() { return *target_; }
  // By default those of source_user and target_user.
  Endpoints endpoints;

  // Publication p of all tables, the ledger, slot and snapshot, the guard:
  // the tables that exist now are copied.
  absl::Status Begin();
  // What of Begin() comes before the guard, and the guard.
  absl::Status BeginUnguarded();
  absl::Status Guard() { return snapshot->Guard(catalog.tables); }

  // What a run after a crash does: a new snapshot, and all is lifted to it.
  absl::StatusOr<LiftReport> Resume();

  // Runs the copy; stops after about `items` items where that is not negative.
  absl::StatusOr<CopyTotals> Copy(int64_t items = -1);
  absl::StatusOr<CopyTotals> CopyUntilStopped(const Control& control);
  CopyPoolOptions copy;  // Its session is filled in.
  absl::Duration lock_wait = absl::Seconds(10);

  // All tables hold the same rows; sequences are not compared.
  testing::AssertionResult Equal();
  // The ledger's ranges as "first-end(rows)", in order, of one table.
  absl::StatusOr<std::string> Ranges(const std::string& table);

  CopySessionOptions Session() const;
  std::string source_conninfo() const;
  std::string target_conninfo() const;
  const std::string& slot() const { return name_; }

  // Of the last Begin() or Resume().
  std::unique_ptr<SourceSnapshot> snapshot;
  Catalog catalog;
  EventRecorder events;

 private:
  CopyPair(const PgServer& server, CopyPairOptions options)
      : server_(server), options_(std::move(options)) {}
  absl::Status SetUp();
  absl::Status NoteTables();

  const PgServer& server_;
  const CopyPairOptions options_;
  std::string name_;
  std::unique_ptr<SqlConnection> source_;
  std::unique_ptr<SqlConnection> target_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_COPY_PAIR_H_
