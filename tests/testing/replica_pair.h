#ifndef TESTS_TESTING_REPLICA_PAIR_H_
#define TESTS_TESTING_REPLICA_PAIR_H_

// A source and a target database on one server, and what is between them but
// for the replication connection: changes are taken from the slot by SQL and
// handed to an applier. What the engine does with threads, a test does step by
// step.
//
//   ASSERT_OK_AND_ASSIGN(auto pair, ReplicaPair::Create(*server));
//   ASSERT_OK(pair->Both("CREATE TABLE t (id int PRIMARY KEY)"));
//   ASSERT_OK(pair->Source("INSERT INTO t VALUES (1)"));
//   ASSERT_OK(pair->Replicate());
//   EXPECT_TRUE(pair->Equal());

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "apply/applier.h"
#include "apply/apply_session.h"
#include "apply/batch_applier.h"
#include "apply/change_batch.h"
#include "apply/source_relation.h"
#include "gtest/gtest.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"

namespace walferry {

struct ReplicaPairOptions {
  // Added to CREATE DATABASE of both.
  std::string database_options;
  // pgoutput's binary 'true'.
  bool binary = false;
  // ... of CREATE PUBLICATION p.
  std::string publication = "FOR ALL TABLES";
  // Of the target's session; name, slot and so on are filled in.
  ApplySessionOptions session;
  BatchApplierOptions applier;
};

class ReplicaPair {
 public:
  // Creates databases, publication and slot, and the ledger's stream table.
  // The server outlives the pair.
  static absl::StatusOr<std::unique_ptr<ReplicaPair>> Create(
      const PgServer& server, ReplicaPairOptions options = {});

  // Statements as the superuser.
  absl::Status Source(const std::string& sql) { return source_->Exec(sql); }
  absl::Status Target(const std::string& sql) { return target_->Exec(sql); }
  absl::Status Both(const std::string& sql);
  SqlConnection& source() { return *source_; }
  SqlConnection& target() { return *target_; }
  std::string source_conninfo() const;
  std::string target_conninfo() const;

  // The messages of everything that was committed since the last call.
  absl::StatusOr<std::vector<std::string>> Receive();

  // A batch of them. Relations are remembered from batch to batch.
  absl::StatusOr<std::unique_ptr<ChangeBatch>> Build(
      const std::vector<std::string>& messages);
  // The same in batches of at most so many changes, which cut transactions
  // where they are longer.
  absl::StatusOr<std::vector<std::unique_ptr<ChangeBatch>>> BuildCut(
      const std::vector<std::string>& messages, size_t max_changes);

  // Opens the session (again, if it was open) with a fresh applier.
  absl::Status Open();
  void Close();
  // Opened by the first Replicate() if not by Open().
  ApplySession& session() { return *session_; }
  Applier& applier() { return *applier_; }

  // Receive, Build, Apply.
  absl::StatusOr<ApplyCounts> Replicate();
  // What a failed Apply left over must be handed over again, as a source does
  // that got no acknowledgement.
  absl::StatusOr<ApplyCounts> Apply(const ChangeBatch& batch);

  // All tables hold the same rows. Sequences are not replicated, and not
  // compared.
  testing::AssertionResult Equal();

  // One row of the stream table's columns, joined by '|'.
  absl::StatusOr<std::string> StreamRow(absl::string_view columns);

 private:
  ReplicaPair(const PgServer& server, ReplicaPairOptions options);
  absl::Status SetUp();
  absl::Status AddMessage(const std::string& payload, ChangeBatch& batch);
  void CountDecoded(uint32_t relation, ChangeKind kind, ChangeBatch& batch);

  const PgServer& server_;
  ReplicaPairOptions options_;
  std::string name_;  // Prefix of both databases, and the slot's name.
  std::unique_ptr<SqlConnection> source_;
  std::unique_ptr<SqlConnection> target_;
  std::unique_ptr<SqlConnection> decoder_;
  absl::flat_hash_map<uint32_t, std::shared_ptr<const SourceRelation>>
      relations_;
  std::unique_ptr<ApplySession> session_;
  std::unique_ptr<Applier> applier_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_REPLICA_PAIR_H_
