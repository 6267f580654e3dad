#include "apply/target_transaction.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/table_counts.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// The binary form of int8, pg_lsn and timestamptz alike.
class BinaryInt64 {
 public:
  explicit BinaryInt64(int64_t value) {
    for (int index = 0; index < 8; ++index) {
      bytes_[static_cast<size_t>(index)] =
          static_cast<char>(static_cast<uint64_t>(value) >> (56 - 8 * index));
    }
  }
  PgParam param() const {
    return {.data = bytes_.data(), .size = 8, .binary = true};
  }

 private:
  std::array<char, 8> bytes_;
};

std::string PositionSql(absl::string_view ledger_schema) {
  return absl::StrCat("UPDATE ", QuoteIdentifier(ledger_schema),
                      ".stream SET applied_lsn = $3,"
                      " commit_time = coalesce($4, commit_time),"
                      " transactions = transactions + $5,"
                      " inserts = inserts + $6,"
                      " updates = updates + $7,"
                      " deletes = deletes + $8,"
                      " truncates = truncates + $9,"
                      " updated_at = pg_catalog.clock_timestamp()"
                      " WHERE name = $1 AND epoch = $2");
}

constexpr char kOriginSql[] =
    "SELECT pg_catalog.pg_replication_origin_xact_setup"
    "($1, coalesce($2, pg_catalog.clock_timestamp()))";

PgParam TextParam(const std::string& text) {
  return {.data = text.c_str(), .size = static_cast<int>(text.size())};
}

}  // namespace

TargetTransaction::TargetTransaction(ApplySession& session,
                                     size_t pipeline_bytes)
    : session_(session), pipeline_(session.connection(), pipeline_bytes) {}

absl::Status TargetTransaction::Begin() {
  if (in_pipeline_) return absl::OkStatus();
  RETURN_IF_ERROR(pipeline_.Enter());
  in_pipeline_ = true;
  if (open_) return absl::OkStatus();
  open_ = true;
  return pipeline_.Send("BEGIN");
}

absl::Status TargetTransaction::Suspend() {
  if (!in_pipeline_) return absl::OkStatus();
  if (!pipeline_.idle()) RETURN_IF_ERROR(pipeline_.Sync());
  in_pipeline_ = false;
  return pipeline_.Exit();
}

absl::Status TargetTransaction::Store(const CommitFacts& facts) {
  position_ = facts.position;
  if (position_statement_.empty()) {
    position_statement_ = session_.NextStatementName();
    RETURN_IF_ERROR(pipeline_.Prepare(position_statement_,
                                      PositionSql(session_.ledger_schema())));
  }
  return SendFacts(facts);
}

absl::Status TargetTransaction::Commit(const AppliedCounts& counts) {
  RETURN_IF_ERROR(Begin());
  if (!pipeline_.idle()) RETURN_IF_ERROR(pipeline_.Sync());
  RETURN_IF_ERROR(counts.Check());
  RETURN_IF_ERROR(SendCounts(counts.Totals()));
  RETURN_IF_ERROR(pipeline_.Send("COMMIT", {}, [](const PgResult& result) {
    // The server's answer to COMMIT in a failed transaction.
    if (result.command_tag() == "COMMIT") return absl::OkStatus();
    return absl::AbortedError("the target rolled the transaction back");
  }));
  RETURN_IF_ERROR(pipeline_.Sync());
  open_ = false;
  session_.position_ = position_;
  in_pipeline_ = false;
  return pipeline_.Exit();
}

absl::Status TargetTransaction::Savepoint(absl::string_view name) {
  return pipeline_.Send(absl::StrCat("SAVEPOINT ", name));
}

absl::Status TargetTransaction::RollBackTo(absl::string_view savepoint) {
  if (in_pipeline_) {
    RETURN_IF_ERROR(pipeline_.Recover());
    in_pipeline_ = false;
    RETURN_IF_ERROR(pipeline_.Exit());
  }
  ++session_.statement_era_;
  position_statement_.clear();
  counts_statement_.clear();
  RETURN_IF_ERROR(session_.connection()
                      .Exec(absl::StrCat("ROLLBACK TO SAVEPOINT ", savepoint,
                                         "; DEALLOCATE ALL"))
                      .status());
  return Begin();
}

absl::Status TargetTransaction::Release(absl::string_view savepoint) {
  RETURN_IF_ERROR(Begin());
  return pipeline_.Send(absl::StrCat("RELEASE SAVEPOINT ", savepoint));
}

absl::Status TargetTransaction::SendFacts(const CommitFacts& facts) {
  const BinaryInt64 position(static_cast<int64_t>(facts.position.value()));
  const BinaryInt64 commit_time(facts.commit_time.value_or(0));
  const PgParam time_param =
      facts.commit_time.has_value() ? commit_time.param() : PgParam{};
  if (session_.has_origin()) {
    const PgParam params[] = {position.param(), time_param};
    RETURN_IF_ERROR(pipeline_.Send(kOriginSql, params));
  }
  const BinaryInt64 epoch(session_.epoch());
  const BinaryInt64 transactions(facts.counts.transactions);
  const BinaryInt64 inserts(facts.counts.inserts);
  const BinaryInt64 updates(facts.counts.updates);
  const BinaryInt64 deletes(facts.counts.deletes);
  const BinaryInt64 truncates(facts.counts.truncates);
  const PgParam params[] = {TextParam(session_.name()),
                            epoch.param(),
                            position.param(),
                            time_param,
                            transactions.param(),
                            inserts.param(),
                            updates.param(),
                            deletes.param(),
                            truncates.param()};
  return pipeline_.SendPrepared(
      position_statement_, params, [this](const PgResult& result) {
        if (result.affected_rows() == 1) return absl::OkStatus();
        return absl::FailedPreconditionError(
            absl::StrCat("another walferry process has taken over stream \"",
                         session_.name(), "\""));
      });
}

absl::Status TargetTransaction::SendCounts(const CountsByTable& counts) {
  if (counts.empty()) return absl::OkStatus();
  if (counts_statement_.empty()) {
    counts_statement_ = session_.NextStatementName();
    RETURN_IF_ERROR(pipeline_.Prepare(
        counts_statement_, AddTableCountsSql(session_.ledger_schema())));
  }
  const std::vector<std::string> arrays = AddTableCountsParams(counts);
  std::vector<PgParam> params = {TextParam(session_.name())};
  for (const std::string& array : arrays) params.push_back(TextParam(array));
  return pipeline_.SendPrepared(counts_statement_, params);
}

void TargetTransaction::Abandon() {
  ++session_.statement_era_;
  position_statement_.clear();
  counts_statement_.clear();
  // Whatever fails here marks the connection broken, and then the server
  // rolls back by itself.
  if (in_pipeline_) {
    if (pipeline_.Recover().ok()) pipeline_.Exit().IgnoreError();
    in_pipeline_ = false;
  }
  PgConnection& connection = session_.connection();
  if (!connection.broken() && connection.in_transaction()) {
    connection.Exec("ROLLBACK").IgnoreError();
  }
  if (!connection.broken()) connection.Exec("DEALLOCATE ALL").IgnoreError();
  open_ = false;
}

}  // namespace walferry
