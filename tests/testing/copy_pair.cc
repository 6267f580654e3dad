#include "tests/testing/copy_pair.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tests/testing/database_equal.h"

namespace walferry {
namespace {

// Passes events on and asks for a stop once so many items are committed.
class StopAfter : public EventSink {
 public:
  StopAfter(EventSink& events, SqlConnection& target, int64_t ranges,
            Control& control)
      : events_(events), target_(target), ranges_(ranges), control_(control) {}

  void OnEvent(const Event& event) override {
    events_.OnEvent(event);
    const absl::StatusOr<std::string> done =
        target_.QueryValue("SELECT count(*) FROM walferry.copy_range");
    if (done.ok() && std::stoll(*done) >= ranges_) control_.RequestStop();
  }

 private:
  EventSink& events_;
  SqlConnection& target_;
  const int64_t ranges_;
  Control& control_;
};

absl::StatusOr<std::unique_ptr<SqlConnection>> Open(
    const std::string& conninfo) {
  ASSIGN_OR_RETURN(SqlConnection connection, SqlConnection::Open(conninfo));
  return std::make_unique<SqlConnection>(std::move(connection));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CopyPair>> CopyPair::Create(
    const PgServer& server, CopyPairOptions options) {
  std::unique_ptr<CopyPair> pair(new CopyPair(server, std::move(options)));
  RETURN_IF_ERROR(pair->SetUp());
  return pair;
}

absl::Status CopyPair::SetUp() {
  // Several pairs may share a server.
  ASSIGN_OR_RETURN(const std::string count,
                   server_.QueryValue("SELECT count(*) FROM pg_database"));
  name_ = absl::StrCat("copy", count);
  RETURN_IF_ERROR(server_.Exec(absl::StrCat(
      "CREATE DATABASE ", name_, "_source ", options_.source_options)));
  RETURN_IF_ERROR(server_.Exec(absl::StrCat(
      "CREATE DATABASE ", name_, "_target ", options_.target_options)));
  ASSIGN_OR_RETURN(source_, Open(source_conninfo()));
  ASSIGN_OR_RETURN(target_, Open(target_conninfo()));
  const auto as = [&](const std::string& user, const std::string& database) {
    return user.empty() ? server_.ConnInfo(database)
                        : server_.ConnInfoAs(user, "", database);
  };
  endpoints.source = as(options_.source_user, name_ + "_source");
  endpoints.target = as(options_.target_user, name_ + "_target");
  copy.jobs = 2;
  copy.progress_interval = absl::Milliseconds(20);
  return absl::OkStatus();
}

// A slot that is left behind would hold its database's rows and WAL.
CopyPair::~CopyPair() {
  snapshot.reset();
  source_
      ->Exec(
          absl::StrCat("SELECT pg_drop_replication_slot(slot_name) FROM "
                       "pg_replication_slots WHERE NOT active AND slot_name = ",
                       QuoteLiteral(name_)))
      .IgnoreError();
}

std::string CopyPair::source_conninfo() const {
  return server_.ConnInfo(name_ + "_source");
}

std::string CopyPair::target_conninfo() const {
  return server_.ConnInfo(name_ + "_target");
}

absl::Status CopyPair::Both(const std::string& sql) {
  RETURN_IF_ERROR(Source(sql));
  return Target(sql);
}

CopySessionOptions CopyPair::Session() const {
  return {.endpoints = endpoints, .lock_wait = lock_wait};
}

absl::Status CopyPair::Begin() {
  RETURN_IF_ERROR(BeginUnguarded());
  RETURN_IF_ERROR(Guard());
  return NoteTables();
}

absl::Status CopyPair::BeginUnguarded() {
  RETURN_IF_ERROR(Source("CREATE PUBLICATION p FOR ALL TABLES"));
  ASSIGN_OR_RETURN(snapshot,
                   SourceSnapshot::Take({.endpoints = endpoints,
                                         .slot = name_,
                                         .lock_wait = absl::Seconds(5)}));
  ASSIGN_OR_RETURN(const Scope scope, Scope::Create({}));
  ASSIGN_OR_RETURN(catalog, ReadCatalog(snapshot->connection(), scope));
  return absl::OkStatus();
}

absl::Status CopyPair::NoteTables() {
  ASSIGN_OR_RETURN(PgConnection connection,
                   OpenCopyTarget(Session(), snapshot->encoding()));
  Ledger ledger(connection, {.schema = endpoints.ledger_schema,
                             .migration = endpoints.name});
  RETURN_IF_ERROR(ledger.Create());
  RETURN_IF_ERROR(ledger.Start({.kind = "migrate", .phase = "copy"}));
  std::vector<LedgerTable> tables;
  for (const CatalogTable& table : catalog.tables) {
    tables.push_back({.table = table.name,
                      .oid = table.oid,
                      .relfilenode = table.relfilenode,
                      .blocks = table.blocks,
                      .bytes = table.bytes,
                      .shape = ShapeOf(table),
                      .lsn = snapshot->consistent_point(),
                      .snapshot = snapshot->text()});
  }
  return ledger.AddTables(tables);
}

absl::StatusOr<LiftReport> CopyPair::Resume() {
  snapshot.reset();
  ASSIGN_OR_RETURN(
      snapshot, SourceSnapshot::Take(
                    {.endpoints = endpoints, .lock_wait = absl::Seconds(5)}));
  ASSIGN_OR_RETURN(const Scope scope, Scope::Create({}));
  ASSIGN_OR_RETURN(catalog, ReadCatalog(snapshot->connection(), scope));
  RETURN_IF_ERROR(Guard());
  return LiftTables(
      {.session = Session(), .slot = name_, .publications = {"p"}}, *snapshot,
      catalog.tables, events);
}

absl::StatusOr<CopyTotals> CopyPair::Copy(int64_t items) {
  Control control;
  if (items < 0) return CopyUntilStopped(control);
  copy.session = Session();
  ASSIGN_OR_RETURN(
      const std::string before,
      target_->QueryValue("SELECT count(*) FROM walferry.copy_range"));
  StopAfter stop(events, *target_, std::stoll(before) + items, control);
  return CopyTables(copy, *snapshot, catalog.tables, control, stop);
}

absl::StatusOr<CopyTotals> CopyPair::CopyUntilStopped(const Control& control) {
  copy.session = Session();
  return CopyTables(copy, *snapshot, catalog.tables, control, events);
}

testing::AssertionResult CopyPair::Equal() {
  return DatabasesEqual(source_conninfo(), target_conninfo(),
                        {.sequences = false});
}

absl::StatusOr<std::string> CopyPair::Ranges(const std::string& table) {
  return target_->QueryValue(absl::StrCat(
      "SELECT coalesce(string_agg(format('%s-%s(%s)', first_block, end_block, "
      "rows), ' ' ORDER BY first_block), '') FROM walferry.copy_range WHERE "
      "table_name = ",
      QuoteLiteral(table)));
}

}  // namespace walferry
