#include "engine/target/recreate_database.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/name_some.h"
#include "engine/target/database_statements.h"
#include "engine/target/drop_permit.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kInUse = "55006";
constexpr absl::string_view kNoSuchDatabase = "3D000";
constexpr absl::string_view kDuplicateDatabase = "42P04";
constexpr absl::string_view kUniqueViolation = "23505";
constexpr size_t kMaxName = 63;  // Bytes: NAMEDATALEN - 1.
// How long sessions may take to end: our own that were closed just now, or
// others that we have ended, and that may come again.
constexpr absl::Duration kEnding = absl::Seconds(5);
constexpr absl::Duration kLook = absl::Milliseconds(50);

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

std::string RenameSql(absl::string_view from, absl::string_view to) {
  return absl::StrCat("ALTER DATABASE ", QuoteIdentifier(from), " RENAME TO ",
                      QuoteIdentifier(to));
}

std::string DropSql(absl::string_view name) {
  return absl::StrCat("DROP DATABASE ", QuoteIdentifier(name), " WITH (FORCE)");
}

// Without the value: a setting may be a secret.
std::string WithoutValue(absl::string_view statement) {
  const size_t value = statement.find('\'');
  return value == absl::string_view::npos
             ? std::string(statement)
             : absl::StrCat(statement.substr(0, value), "...");
}

// "pid 4711 (ada, psql, from 10.0.0.7)" each. What the server does by itself
// has no user, and gives way by itself.
absl::StatusOr<std::vector<std::string>> SessionsWhere(
    PgConnection& session, absl::string_view condition) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec(absl::StrCat(
          "SELECT 'pid ' || pid || ' (' || pg_catalog.concat_ws(', ', usename,"
          " nullif(application_name, ''), 'from ' ||"
          " pg_catalog.host(client_addr)) || ')'"
          " FROM pg_catalog.pg_stat_activity WHERE usesysid IS NOT NULL AND ",
          condition, " ORDER BY pid")));
  std::vector<std::string> sessions;
  for (int row = 0; row < rows.rows(); ++row) {
    sessions.emplace_back(rows.Text(row, 0));
  }
  return sessions;
}

absl::StatusOr<std::vector<std::string>> SessionsIn(PgConnection& session,
                                                    const std::string& dbname) {
  return SessionsWhere(session,
                       absl::StrCat("datname = ", QuoteLiteral(dbname)));
}

// One by one, as whoever may not be ended must not keep the others. Those show
// as who is still inside.
absl::Status EndSessionsIn(PgConnection& session, const std::string& dbname) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      session.Exec(absl::StrCat("SELECT pid FROM pg_catalog.pg_stat_activity"
                                " WHERE usesysid IS NOT NULL AND datname = ",
                                QuoteLiteral(dbname))));
  for (int row = 0; row < rows.rows(); ++row) {
    const absl::Status ended =
        session
            .Exec(absl::StrCat("SELECT pg_catalog.pg_terminate_backend(",
                               rows.Text(row, 0), ")"))
            .status();
    if (!ended.ok() && session.broken()) return ended;
  }
  return absl::OkStatus();
}

absl::Status InUse(const std::string& dbname,
                   const std::vector<std::string>& sessions) {
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("target: database ", dbname,
                       " is in use and was not dropped: ", NameSome(sessions))),
      "see that they end, or end them: SELECT pg_terminate_backend(PID);");
}

absl::StatusOr<bool> HasDatabase(PgConnection& session,
                                 const std::string& name) {
  ASSIGN_OR_RETURN(const std::string exists,
                   session.QueryValue(absl::StrCat(
                       "SELECT EXISTS (SELECT FROM pg_catalog.pg_database"
                       " WHERE datname = ",
                       QuoteLiteral(name), ")")));
  return exists == "t";
}

class Exchange {
 public:
  Exchange(const Connector& connector, std::string dbname,
           absl::string_view oid)
      : connector_(connector),
        dbname_(std::move(dbname)),
        fresh_(FreshName(dbname_, oid)),
        aside_(AsideName(dbname_)) {}

  absl::Status Run(const std::vector<std::string>& statements,
                   OthersInside others) {
    RETURN_IF_ERROR(Open(connector_.interrupt));
    RETURN_IF_ERROR(CheckNothingLeft());
    absl::Status taken =
        session_->Exec(CreatedUnder(statements.front(), fresh_)).status();
    if (taken.ok()) {
      taken = TakeName(absl::MakeConstSpan(statements).subspan(1), others);
    } else {
      taken = Annotate(
          taken, absl::StrCat("target: database ", dbname_,
                              " was not dropped, as one like it cannot be "
                              "made"));
      if (IsTaken(taken)) {
        return WithHint(taken,
                        "another run is about to replace it, too: see what "
                        "becomes of that one");
      }
    }
    if (!taken.ok()) RETURN_IF_ERROR(WithoutFresh(taken));
    return DropOld();
  }

 private:
  // A session in any database but the one that goes away.
  absl::Status Open(const Interrupt* interrupt) {
    session_.reset();
    PgConnectOptions options = connector_.TargetOptions("drop");
    options.dbname = dbname_ == "postgres" ? "template1" : "postgres";
    options.client_encoding = "UTF8";
    options.interrupt = interrupt;
    absl::StatusOr<PgConnection> opened = PgConnection::Open(options);
    if (!opened.ok()) {
      return Annotate(opened.status(),
                      absl::StrCat("target, database ", options.dbname));
    }
    session_.emplace(*std::move(opened));
    return absl::OkStatus();
  }

  // Somebody has made it since we looked: it is not ours to drop.
  static bool IsTaken(const absl::Status& created) {
    const std::string state = SqlStateOf(created);
    return state == kDuplicateDatabase || state == kUniqueViolation;
  }

  // By a run that was killed. Neither is dropped unseen.
  absl::Status CheckNothingLeft() {
    ASSIGN_OR_RETURN(const bool aside, HasDatabase(*session_, aside_));
    if (aside) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat(
              "target: database ", dbname_, " was not dropped: there is ",
              aside_, ", which an earlier run has put aside, with all that ",
              dbname_, " held before it")),
          absl::StrCat("look into both; to have the old one back: ",
                       DropSql(dbname_), "; ", RenameSql(aside_, dbname_),
                       "; to do without it: ", DropSql(aside_), ";"));
    }
    ASSIGN_OR_RETURN(const bool fresh, HasDatabase(*session_, fresh_));
    if (!fresh) return absl::OkStatus();
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "target: database ", dbname_, " was not dropped: there is ", fresh_,
            ", which an earlier run has made and not come to use")),
        absl::StrCat("see that it is empty, then: ", DropSql(fresh_), ";"));
  }

  // Renaming takes that nobody is in it, which the server makes sure of.
  absl::Status TakeName(absl::Span<const std::string> properties,
                        OthersInside others) {
    const absl::Time deadline = absl::Now() + kEnding;
    while (true) {
      ASSIGN_OR_RETURN(const std::vector<std::string> inside,
                       SessionsIn(*session_, dbname_));
      const bool last = absl::Now() >= deadline;
      if (inside.empty()) {
        const absl::Status renamed = Rename(properties);
        if (SqlStateOf(renamed) != kInUse || last) return renamed;
      } else if (last) {
        return InUse(dbname_, inside);
      } else if (others == OthersInside::kEnd) {
        RETURN_IF_ERROR(EndSessionsIn(*session_, dbname_));
      }
      absl::SleepFor(kLook);
    }
  }

  absl::Status Rename(absl::Span<const std::string> properties) {
    const auto statements = [&]() -> absl::Status {
      RETURN_IF_ERROR(Annotate(
          session_->Exec(RenameSql(dbname_, aside_)).status(),
          absl::StrCat("target: database ", dbname_, " was not dropped")));
      RETURN_IF_ERROR(session_->Exec(RenameSql(fresh_, dbname_)).status());
      for (const std::string& property : properties) {
        RETURN_IF_ERROR(Annotate(
            session_->Exec(property).status(),
            absl::StrCat("target: database ", dbname_,
                         " cannot be made again: ", WithoutValue(property))));
      }
      return absl::OkStatus();
    };
    RETURN_IF_ERROR(session_->Exec("BEGIN").status());
    const absl::Status done = statements();
    if (done.ok()) return session_->Exec("COMMIT").status();
    // Without a link the server rolls it back.
    if (!session_->broken()) {
      RETURN_IF_ERROR(session_->Exec("ROLLBACK").status());
    }
    return done;
  }

  // `status`, and that nothing has changed. OK: all has, and the answer is what
  // was lost. The old session is closed first, as it may hold the names' locks;
  // a statement of it that still runs is waited for by the DROP. Nobody who has
  // stopped us may stop this.
  absl::Status WithoutFresh(const absl::Status& status) {
    absl::Status dropped = Open(/*interrupt=*/nullptr);
    if (dropped.ok()) dropped = session_->Exec(DropSql(fresh_)).status();
    if (SqlStateOf(dropped) == kNoSuchDatabase) {
      ASSIGN_OR_RETURN(const bool aside, HasDatabase(*session_, aside_));
      if (aside) return absl::OkStatus();
      dropped = absl::OkStatus();  // It was not even made.
    }
    if (dropped.ok()) {
      return WithHint(absl::Status(status.code(),
                                   absl::StrCat(status.message(), "; database ",
                                                dbname_, " is as it was")),
                      HintOf(status));
    }
    return WithHint(
        absl::Status(
            status.code(),
            absl::StrCat(status.message(), "; whether databases ", fresh_,
                         " or ", aside_,
                         " are left is not known: ", dropped.message())),
        absl::StrCat(fresh_, " is empty; if there is ", aside_,
                     ", that is the old ", dbname_));
  }

  // To its end, whoever has stopped us: a DROP that is cut off may leave a
  // database that is neither there nor gone. So the old one gets its name back
  // never again.
  absl::Status DropOld() {
    absl::Status dropped = Open(/*interrupt=*/nullptr);
    if (dropped.ok()) dropped = session_->Exec(DropSql(aside_)).status();
    if (dropped.ok() || SqlStateOf(dropped) == kNoSuchDatabase) {
      return absl::OkStatus();
    }
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "target: database ", dbname_,
                        " is new and empty, but the old one, now ", aside_,
                        ", was not dropped: ", dropped.message())),
                    absl::StrCat(DropSql(aside_), ";"));
  }

  const Connector& connector_;
  const std::string dbname_;
  const std::string fresh_;
  const std::string aside_;
  std::optional<PgConnection> session_;
};

}  // namespace

std::string AsideName(absl::string_view dbname) {
  return OtherName("walferry_old_", dbname);
}

std::string FreshName(absl::string_view dbname, absl::string_view oid) {
  return OtherName(absl::StrCat("walferry_new_", oid, "_"), dbname);
}

absl::Status CheckNobodyInside(PgConnection& target) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> inside,
      SessionsWhere(
          target,
          "datname = pg_catalog.current_database()"
          " AND application_name IS DISTINCT FROM (SELECT own.application_name"
          " FROM pg_catalog.pg_stat_activity own"
          " WHERE own.pid = pg_catalog.pg_backend_pid())"));
  return inside.empty() ? absl::OkStatus() : InUse(target.dbname(), inside);
}

absl::StatusOr<std::string> LeftOverOf(PgConnection& target) {
  const std::string dbname = target.dbname();
  const std::string aside = AsideName(dbname);
  ASSIGN_OR_RETURN(const bool left, HasDatabase(target, aside));
  if (!left) return "";
  return absl::StrCat(
      "there is database ", aside,
      ", which an earlier run has put aside, with all that ", dbname,
      " held before it; to do without it: ", DropSql(aside), ";");
}

absl::Status RecreateDatabase(const Connector& connector, const PgTools& tools,
                              OthersInside others) {
  std::string dbname;
  std::string oid;
  {
    ASSIGN_OR_RETURN(PgConnection session, connector.OpenTarget("drop"));
    RETURN_IF_ERROR(CheckRecreatable(session));
    dbname = session.dbname();
    ASSIGN_OR_RETURN(
        oid, session.QueryValue("SELECT oid FROM pg_catalog.pg_database WHERE"
                                " datname = pg_catalog.current_database()"));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> statements,
                   ReadDatabaseStatements(connector, tools));
  return Exchange(connector, std::move(dbname), oid).Run(statements, others);
}

}  // namespace walferry
