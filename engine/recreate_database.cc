#include "engine/recreate_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/database_statements.h"
#include "engine/drop_permit.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kInUse = "55006";
constexpr absl::string_view kExists = "42P04";
constexpr size_t kMaxName = 63;  // Bytes: NAMEDATALEN - 1.
// How long sessions may take to end: our own that were closed just now, or
// others that we have ended, and that may come again.
constexpr absl::Duration kEnding = absl::Seconds(5);
constexpr absl::Duration kLook = absl::Milliseconds(50);

// "pid 4711 (ada, psql, from 10.0.0.7)" each, but for ourselves.
absl::StatusOr<std::vector<std::string>> SessionsIn(PgConnection& session,
                                                    const std::string& dbname) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec(absl::StrCat(
          "SELECT 'pid ' || pid || ' (' || concat_ws(', ', usename,"
          " nullif(application_name, ''), 'from ' || host(client_addr)) || ')'"
          " FROM pg_catalog.pg_stat_activity WHERE datname = ",
          QuoteLiteral(dbname),
          " AND pid <> pg_catalog.pg_backend_pid()"
          " AND backend_type IS DISTINCT FROM 'autovacuum worker'"
          " ORDER BY pid")));
  std::vector<std::string> sessions;
  for (int row = 0; row < rows.rows(); ++row) {
    sessions.emplace_back(rows.Text(row, 0));
  }
  return sessions;
}

absl::Status EndSessionsIn(PgConnection& session, const std::string& dbname) {
  return session
      .Exec(absl::StrCat("SELECT pg_catalog.pg_terminate_backend(pid)"
                         " FROM pg_catalog.pg_stat_activity WHERE datname = ",
                         QuoteLiteral(dbname),
                         " AND pid <> pg_catalog.pg_backend_pid()"))
      .status();
}

std::string RenameSql(absl::string_view from, absl::string_view to) {
  return absl::StrCat("ALTER DATABASE ", QuoteIdentifier(from), " RENAME TO ",
                      QuoteIdentifier(to));
}

std::string DropSql(absl::string_view name) {
  return absl::StrCat("DROP DATABASE ", QuoteIdentifier(name), " WITH (FORCE)");
}

// `prefix` and the database's name, cut to what a name may be.
std::string OtherName(absl::string_view prefix, absl::string_view dbname) {
  std::string name = absl::StrCat(prefix, dbname);
  if (name.size() <= kMaxName) return name;
  size_t end = kMaxName;
  // Not in the middle of a UTF-8 character.
  while ((static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  name.resize(end);
  return name;
}

absl::Status CannotCreate(const absl::Status& status, const std::string& dbname,
                          const std::string& fresh) {
  const absl::Status annotated = Annotate(
      status, absl::StrCat("target: database ", dbname,
                           " was not dropped, as one like it cannot be made"));
  if (SqlStateOf(status) != kExists) return annotated;
  return WithHint(annotated,
                  absl::StrCat("a run that was killed may have left ", fresh,
                               ", empty; look, then: DROP DATABASE ",
                               QuoteIdentifier(fresh), ";"));
}

absl::Status InUse(const std::string& dbname,
                   const std::vector<std::string>& sessions) {
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("target: database ", dbname,
                       " is in use and was not dropped: ", NameSome(sessions))),
      "see that they end, or end them: SELECT pg_terminate_backend(PID);");
}

}  // namespace

std::string AsideName(absl::string_view dbname) {
  return OtherName("walferry_old_", dbname);
}

std::string FreshName(absl::string_view dbname) {
  return OtherName("walferry_new_", dbname);
}

absl::StatusOr<RecreatedDatabase> RecreatedDatabase::Make(
    const Connector& connector, const PgTools& tools, OthersInside others) {
  std::string dbname;
  {
    ASSIGN_OR_RETURN(PgConnection session, connector.OpenTarget("drop"));
    RETURN_IF_ERROR(CheckRecreatable(session));
    dbname = session.dbname();
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> statements,
                   ReadDatabaseStatements(connector, tools));
  RecreatedDatabase database(connector, std::move(dbname));
  ASSIGN_OR_RETURN(PgConnection session,
                   database.OpenBeside(connector.interrupt));
  const std::string fresh = FreshName(database.dbname_);
  const absl::Status created =
      session.Exec(CreatedUnder(statements.front(), fresh)).status();
  if (!created.ok()) return CannotCreate(created, database.dbname_, fresh);
  const absl::Status exchanged = database.Exchange(
      session, others,
      {.from = fresh,
       .aside = AsideName(database.dbname_),
       .properties = absl::MakeConstSpan(statements).subspan(1)});
  if (!exchanged.ok()) RETURN_IF_ERROR(database.WithoutFresh(exchanged));
  return database;
}

// A session in any database but the one that goes away.
absl::StatusOr<PgConnection> RecreatedDatabase::OpenBeside(
    const Interrupt* interrupt) const {
  PgConnectOptions options = connector_->TargetOptions("drop");
  options.dbname = dbname_ == "postgres" ? "template1" : "postgres";
  options.client_encoding = "UTF8";
  options.interrupt = interrupt;
  absl::StatusOr<PgConnection> opened = PgConnection::Open(options);
  if (opened.ok()) return opened;
  return Annotate(opened.status(),
                  absl::StrCat("target, database ", options.dbname));
}

// Renaming takes that nobody else is in it, which the server makes sure of.
absl::Status RecreatedDatabase::Exchange(PgConnection& session,
                                         OthersInside others,
                                         const Names& names) const {
  const absl::Time deadline = absl::Now() + kEnding;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<std::string> inside,
                     SessionsIn(session, dbname_));
    const bool last = absl::Now() >= deadline;
    if (inside.empty()) {
      const absl::Status renamed = Rename(session, names);
      if (SqlStateOf(renamed) != kInUse || last) return renamed;
    } else if (last) {
      return InUse(dbname_, inside);
    } else if (others == OthersInside::kEnd) {
      RETURN_IF_ERROR(EndSessionsIn(session, dbname_));
    }
    absl::SleepFor(kLook);
  }
}

// In one transaction: whoever is killed leaves one whole database of the name.
absl::Status RecreatedDatabase::Rename(PgConnection& session,
                                       const Names& names) const {
  const auto statements = [&]() -> absl::Status {
    RETURN_IF_ERROR(Annotate(
        session.Exec(RenameSql(dbname_, names.aside)).status(),
        absl::StrCat("target: database ", dbname_, " was not dropped")));
    RETURN_IF_ERROR(session.Exec(RenameSql(names.from, dbname_)).status());
    for (const std::string& property : names.properties) {
      RETURN_IF_ERROR(
          Annotate(session.Exec(property).status(),
                   absl::StrCat("target: database ", dbname_,
                                " cannot be made again: ", property)));
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(session.Exec("BEGIN").status());
  const absl::Status done = statements();
  if (done.ok()) return session.Exec("COMMIT").status();
  // Without a link the server rolls it back.
  if (!session.broken()) {
    RETURN_IF_ERROR(session.Exec("ROLLBACK").status());
  }
  return done;
}

// Also after we were told to stop.
absl::StatusOr<bool> RecreatedDatabase::Exists(const std::string& name) const {
  ASSIGN_OR_RETURN(PgConnection session, OpenBeside(/*interrupt=*/nullptr));
  ASSIGN_OR_RETURN(
      const std::string exists,
      session.QueryValue(absl::StrCat("SELECT EXISTS (SELECT FROM "
                                      "pg_catalog.pg_database WHERE datname = ",
                                      QuoteLiteral(name), ")")));
  return exists == "t";
}

absl::Status RecreatedDatabase::DropFresh() const {
  ASSIGN_OR_RETURN(PgConnection session, OpenBeside(/*interrupt=*/nullptr));
  return session.Exec(DropSql(FreshName(dbname_))).status();
}

absl::Status RecreatedDatabase::WithoutFresh(const absl::Status& status) const {
  const absl::StatusOr<bool> fresh = Exists(FreshName(dbname_));
  // The answer was what was lost: both names change together.
  if (fresh.ok() && !*fresh) return absl::OkStatus();
  const absl::Status dropped = fresh.ok() ? DropFresh() : fresh.status();
  const absl::Status known(
      status.code(),
      absl::StrCat(status.message(), "; database ", dbname_, " is as it was"));
  if (dropped.ok()) return WithHint(known, HintOf(status));
  return WithHint(known, absl::StrCat("an empty database ", FreshName(dbname_),
                                      " is left (", dropped.message(),
                                      "): ", DropSql(FreshName(dbname_)), ";"));
}

absl::Status RecreatedDatabase::DropOld() const {
  const absl::Status dropped = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(PgConnection session, OpenBeside(connector_->interrupt));
    return session.Exec(DropSql(AsideName(dbname_))).status();
  }();
  if (dropped.ok()) return dropped;
  // The answer may be what was lost.
  const absl::StatusOr<bool> aside = Exists(AsideName(dbname_));
  if (aside.ok() && !*aside) return absl::OkStatus();
  return AfterPuttingBack(Annotate(
      dropped,
      absl::StrCat("target: database ", dbname_, " cannot be dropped")));
}

absl::Status RecreatedDatabase::PutBack() const {
  // Never the last one.
  ASSIGN_OR_RETURN(const bool aside, Exists(AsideName(dbname_)));
  if (!aside) {
    return absl::NotFoundError(
        absl::StrCat("there is no database ", AsideName(dbname_)));
  }
  ASSIGN_OR_RETURN(PgConnection session, OpenBeside(/*interrupt=*/nullptr));
  RETURN_IF_ERROR(
      Exchange(session, OthersInside::kEnd,
               {.from = AsideName(dbname_), .aside = FreshName(dbname_)}));
  return DropFresh();
}

absl::Status RecreatedDatabase::AfterPuttingBack(
    const absl::Status& status) const {
  const absl::Status back = PutBack();
  if (back.ok()) {
    return WithHint(absl::Status(status.code(),
                                 absl::StrCat(status.message(), "; database ",
                                              dbname_, " is as it was")),
                    HintOf(status));
  }
  return WithHint(
      absl::Status(status.code(),
                   absl::StrCat(status.message(), "; and database ", dbname_,
                                " is now called ", AsideName(dbname_), ": ",
                                back.message())),
      absl::StrCat("DROP DATABASE IF EXISTS ", QuoteIdentifier(dbname_), "; ",
                   RenameSql(AsideName(dbname_), dbname_), ";"));
}

}  // namespace walferry
