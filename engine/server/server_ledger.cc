#include "engine/server/server_ledger.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kDatabaseKind = "database";
// A process that was killed leaves its session for a moment.
constexpr absl::Duration kLockWait = absl::Seconds(30);

}  // namespace

std::string ServerLedgerName(absl::string_view migration) {
  return absl::StrCat(migration, " (all databases)");
}

Endpoints ServerEndpoints(Endpoints endpoints) {
  endpoints.name = ServerLedgerName(endpoints.name);
  return endpoints;
}

absl::StatusOr<Endpoints> DatabaseEndpoints(const Endpoints& endpoints,
                                            const std::string& database) {
  Endpoints of_database = endpoints;
  // Nobody asks for a source to see how far the target is.
  if (!endpoints.source.empty()) {
    ASSIGN_OR_RETURN(of_database.source,
                     ConnInfoOfDatabase(endpoints.source, database));
  }
  ASSIGN_OR_RETURN(of_database.target,
                   ConnInfoOfDatabase(endpoints.target, database));
  return of_database;
}

std::string PropertiesStep(absl::string_view oid, absl::string_view database) {
  return absl::StrCat("properties ", oid, " ", database);
}

absl::StatusOr<std::string> DatabaseOid(PgConnection& session,
                                        absl::string_view database) {
  return session.QueryValue(
      absl::StrCat("SELECT coalesce((SELECT oid::text FROM "
                   "pg_catalog.pg_database WHERE datname = ",
                   QuoteLiteral(database), "), '')"));
}

LedgerObject NoteOf(const NotedDatabase& database) {
  return {.side = Side::kTarget,
          .kind = std::string(kDatabaseKind),
          .identity = database.name,
          .detail = absl::StrCat(database.bytes)};
}

LedgerObject FreezeNoteOf(const std::string& database, std::string earlier) {
  return {.side = Side::kSource,
          .kind = std::string(kFreezeKind),
          .identity = database,
          .detail = std::move(earlier)};
}

absl::StatusOr<std::vector<NotedDatabase>> NotedDatabases(Ledger& ledger) {
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  std::vector<NotedDatabase> databases;
  for (const LedgerObject& object : objects) {
    if (object.kind != kDatabaseKind) continue;
    NotedDatabase database{.name = object.identity};
    if (!absl::SimpleAtoi(object.detail, &database.bytes)) {
      return absl::InternalError(absl::StrCat(
          "ledger: database ", object.identity, " has size ", object.detail));
    }
    databases.push_back(std::move(database));
  }
  std::sort(databases.begin(), databases.end(),
            [](const NotedDatabase& a, const NotedDatabase& b) {
              return std::tuple(a.bytes < 0, a.bytes, a.name) <
                     std::tuple(b.bytes < 0, b.bytes, b.name);
            });
  return databases;
}

absl::StatusOr<std::unique_ptr<ServerSession>> ServerSession::Open(
    const Connector& connector,
    const std::function<void(std::string)>& on_wait) {
  auto session = absl::WrapUnique(new ServerSession(connector));
  absl::MutexLock lock(&session->mutex_);
  RETURN_IF_ERROR(session->Connect(Contact::kFirst, on_wait));
  return session;
}

absl::Status ServerSession::Connect(
    Contact contact, const std::function<void(std::string)>& on_wait) {
  ledger_.reset();
  target_.reset();
  ASSIGN_OR_RETURN(PgConnection target,
                   connector_.OpenTarget("ledger", contact));
  if (!client_encoding_.empty()) {
    RETURN_IF_ERROR(target
                        .Exec(absl::StrCat("SET client_encoding = ",
                                           QuoteLiteral(client_encoding_)))
                        .status());
  }
  target_.emplace(std::move(target));
  ledger_.emplace(*target_,
                  LedgerKey{.schema = connector_.endpoints.ledger_schema,
                            .migration = connector_.endpoints.name});
  const absl::Status locked = ledger_->Lock(kLockWait, on_wait);
  if (!locked.ok()) {
    ledger_.reset();
    target_.reset();
  }
  return locked;
}

absl::Status ServerSession::Use(
    absl::FunctionRef<absl::Status(PgConnection& target, Ledger& ledger)> use) {
  absl::MutexLock lock(&mutex_);
  if (!target_ || target_->broken()) {
    RETURN_IF_ERROR(Connect(Contact::kAgain, nullptr));
  }
  return use(*target_, *ledger_);
}

void ServerSession::SetClientEncoding(std::string encoding) {
  absl::MutexLock lock(&mutex_);
  client_encoding_ = std::move(encoding);
}

}  // namespace walferry
