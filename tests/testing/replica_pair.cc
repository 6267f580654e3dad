#include "tests/testing/replica_pair.h"

#include <utility>
#include <variant>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "protocol/pgoutput.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tests/testing/database_equal.h"

namespace walferry {
namespace {

// What a walsender connection is opened with: what values look like must not
// depend on the database's settings.
constexpr char kDecoderSettings[] =
    "SET DateStyle = ISO; SET IntervalStyle = postgres;"
    " SET extra_float_digits = 3; SET search_path = ''";

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicaPair>> ReplicaPair::Create(
    const PgServer& server, ReplicaPairOptions options) {
  std::unique_ptr<ReplicaPair> pair(
      new ReplicaPair(server, std::move(options)));
  RETURN_IF_ERROR(pair->SetUp());
  return pair;
}

ReplicaPair::ReplicaPair(const PgServer& server, ReplicaPairOptions options)
    : server_(server), options_(std::move(options)) {}

absl::Status ReplicaPair::SetUp() {
  // Several pairs may share a server.
  ASSIGN_OR_RETURN(const std::string count,
                   server_.QueryValue("SELECT count(*) FROM pg_database"));
  name_ = absl::StrCat("pair", count);
  for (const absl::string_view side : {"_source", "_target"}) {
    RETURN_IF_ERROR(server_.Exec(absl::StrCat("CREATE DATABASE ", name_, side,
                                              " ", options_.database_options)));
  }
  const auto open = [](const std::string& conninfo)
      -> absl::StatusOr<std::unique_ptr<SqlConnection>> {
    ASSIGN_OR_RETURN(SqlConnection connection, SqlConnection::Open(conninfo));
    return std::make_unique<SqlConnection>(std::move(connection));
  };
  ASSIGN_OR_RETURN(source_, open(source_conninfo()));
  ASSIGN_OR_RETURN(target_, open(target_conninfo()));
  ASSIGN_OR_RETURN(decoder_, open(source_conninfo()));
  RETURN_IF_ERROR(decoder_->Exec(kDecoderSettings));
  RETURN_IF_ERROR(
      Source(absl::StrCat("CREATE PUBLICATION p ", options_.publication)));
  RETURN_IF_ERROR(
      Source(absl::StrCat("SELECT pg_create_logical_replication_slot(",
                          QuoteLiteral(name_), ", 'pgoutput')")));
  return Target(
      absl::StrCat("CREATE SCHEMA walferry; ", StreamTableSql("walferry")));
}

std::string ReplicaPair::source_conninfo() const {
  return server_.ConnInfo(name_ + "_source");
}

std::string ReplicaPair::target_conninfo() const {
  return server_.ConnInfo(name_ + "_target");
}

absl::Status ReplicaPair::Both(const std::string& sql) {
  RETURN_IF_ERROR(Source(sql));
  return Target(sql);
}

absl::StatusOr<std::vector<std::string>> ReplicaPair::Receive() {
  ASSIGN_OR_RETURN(
      const SqlRows rows,
      decoder_->Query(absl::StrCat(
          "SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes(",
          QuoteLiteral(name_),
          ", NULL, NULL, 'proto_version', '1', 'publication_names', 'p',"
          " 'binary', '",
          options_.binary ? "true" : "false", "')")));
  std::vector<std::string> messages;
  for (const SqlRow& row : rows) {
    messages.push_back(absl::HexStringToBytes(row.front().value()));
  }
  return messages;
}

absl::StatusOr<std::unique_ptr<ChangeBatch>> ReplicaPair::Build(
    const std::vector<std::string>& messages) {
  auto batch = std::make_unique<ChangeBatch>();
  for (const std::string& message : messages) {
    RETURN_IF_ERROR(AddMessage(message, *batch));
  }
  return batch;
}

absl::StatusOr<std::vector<std::unique_ptr<ChangeBatch>>> ReplicaPair::BuildCut(
    const std::vector<std::string>& messages, size_t max_changes) {
  std::vector<std::unique_ptr<ChangeBatch>> batches;
  batches.push_back(std::make_unique<ChangeBatch>());
  for (const std::string& message : messages) {
    if (batches.back()->changes().size() >= max_changes) {
      auto next = std::make_unique<ChangeBatch>();
      if (batches.back()->open()) {
        next->ContinueTransaction(batches.back()->transactions().back());
      }
      batches.push_back(std::move(next));
    }
    RETURN_IF_ERROR(AddMessage(message, *batches.back()));
  }
  return batches;
}

absl::Status ReplicaPair::AddMessage(const std::string& payload,
                                     ChangeBatch& batch) {
  ASSIGN_OR_RETURN(const Message message, DecodeMessage(payload));
  if (const auto* begin = std::get_if<Begin>(&message)) {
    batch.BeginTransaction(*begin);
  } else if (const auto* commit = std::get_if<Commit>(&message)) {
    batch.CommitTransaction(*commit);
  } else if (const auto* relation = std::get_if<Relation>(&message)) {
    SourceRelation shape = SourceRelation::From(*relation);
    std::shared_ptr<const SourceRelation>& known = relations_[shape.id];
    if (known == nullptr || *known != shape) {
      known = std::make_shared<const SourceRelation>(std::move(shape));
    }
  } else if (const auto* insert = std::get_if<Insert>(&message)) {
    CountDecoded(insert->relation_id, ChangeKind::kInsert, batch);
    batch.AddInsert(relations_[insert->relation_id], *insert);
  } else if (const auto* update = std::get_if<Update>(&message)) {
    CountDecoded(update->relation_id, ChangeKind::kUpdate, batch);
    batch.AddUpdate(relations_[update->relation_id], *update);
  } else if (const auto* removal = std::get_if<Delete>(&message)) {
    CountDecoded(removal->relation_id, ChangeKind::kDelete, batch);
    batch.AddDelete(relations_[removal->relation_id], *removal);
  } else if (const auto* truncate = std::get_if<Truncate>(&message)) {
    std::vector<std::shared_ptr<const SourceRelation>> relations;
    for (uint32_t index = 0; index < truncate->relation_ids.size(); ++index) {
      CountDecoded(truncate->relation_ids[index], ChangeKind::kTruncate, batch);
      relations.push_back(relations_[truncate->relation_ids[index]]);
    }
    batch.AddTruncate(relations, truncate->restart_identity);
  }
  return absl::OkStatus();
}

void ReplicaPair::CountDecoded(uint32_t relation, ChangeKind kind,
                               ChangeBatch& batch) {
  batch.CountDecoded(batch.AddDecodedTable(relations_[relation]), kind);
}

absl::Status ReplicaPair::Open() {
  Close();
  ApplySessionOptions options = options_.session;
  if (options.target.conninfo.empty()) {
    options.target.conninfo = target_conninfo();
  }
  if (options.target.client_encoding.empty()) {
    ASSIGN_OR_RETURN(options.target.client_encoding,
                     decoder_->QueryValue("SHOW client_encoding"));
  }
  options.identity = {.name = name_,
                      .system_identifier = "1",
                      .slot = name_,
                      .dbname = name_ + "_source"};
  ASSIGN_OR_RETURN(session_, ApplySession::Open(options));
  applier_ = MakeBatchApplier(*session_, options_.applier);
  return absl::OkStatus();
}

void ReplicaPair::Close() {
  applier_.reset();
  session_.reset();
}

absl::StatusOr<ApplyCounts> ReplicaPair::Replicate() {
  ASSIGN_OR_RETURN(const std::vector<std::string> messages, Receive());
  ASSIGN_OR_RETURN(const std::unique_ptr<ChangeBatch> batch, Build(messages));
  return Apply(*batch);
}

absl::StatusOr<ApplyCounts> ReplicaPair::Apply(const ChangeBatch& batch) {
  if (session_ == nullptr) RETURN_IF_ERROR(Open());
  return applier_->Apply(batch);
}

testing::AssertionResult ReplicaPair::Equal() {
  return DatabasesEqual(source_conninfo(), target_conninfo(),
                        {.sequences = false});
}

absl::StatusOr<std::string> ReplicaPair::StreamRow(absl::string_view columns) {
  return target_->QueryValue(absl::StrCat("SELECT concat_ws('|', ", columns,
                                          ") FROM walferry.stream"));
}

}  // namespace walferry
