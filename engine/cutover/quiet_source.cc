#include "engine/cutover/quiet_source.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string Count(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

constexpr absl::Duration kPatience = absl::Seconds(10);
constexpr absl::Duration kStartOfSession = absl::Milliseconds(200);

absl::Status WaitFor(absl::Duration length,
                     const std::function<absl::Status()>& wait) {
  const absl::Time until = absl::Now() + length;
  while (absl::Now() < until) RETURN_IF_ERROR(wait());
  return absl::OkStatus();
}

struct OtherSession {
  std::string pid;
  std::string text;  // "pid 17 (role app, application psql)".
};

// Sessions on the source's database that may write: all but ours, walsenders,
// and those of no role, such as vacuum. A narrow role does not see what kind
// of backend another role's session is.
absl::StatusOr<std::vector<OtherSession>> ListOtherSessions(
    PgConnection& source) {
  ASSIGN_OR_RETURN(
      PgResult rows,
      source.Exec(
          "SELECT pid, coalesce(usename, usesysid::text), "
          "coalesce(application_name, '') FROM pg_catalog.pg_stat_activity "
          "WHERE datname = pg_catalog.current_database() "
          "AND usesysid IS NOT NULL AND pid <> pg_catalog.pg_backend_pid() "
          "AND pid NOT IN (SELECT pid FROM "
          "pg_catalog.pg_stat_get_wal_senders() WHERE pid IS NOT NULL) "
          "AND coalesce(application_name, '') NOT LIKE 'walferry %'"));
  std::vector<OtherSession> sessions;
  for (int row = 0; row < rows.rows(); ++row) {
    sessions.push_back(
        {.pid = std::string(rows.Text(row, 0)),
         .text = absl::StrCat("pid ", rows.Text(row, 0), " (role ",
                              rows.Text(row, 1), ", application ",
                              QuoteLiteral(rows.Text(row, 2)), ")")});
  }
  return sessions;
}

std::vector<std::string> TextsOf(const std::vector<OtherSession>& sessions) {
  std::vector<std::string> texts;
  for (const OtherSession& session : sessions) texts.push_back(session.text);
  return texts;
}

// Those of `sessions` that are still there.
absl::StatusOr<std::vector<OtherSession>> StillThere(
    PgConnection& source, const std::vector<OtherSession>& sessions) {
  ASSIGN_OR_RETURN(const std::vector<OtherSession> now,
                   ListOtherSessions(source));
  std::vector<OtherSession> left;
  for (const OtherSession& session : sessions) {
    for (const OtherSession& one : now) {
      if (one.pid == session.pid) left.push_back(session);
    }
  }
  return left;
}

// Asks every session to end, also behind one that may not be asked.
absl::Status TerminateAll(PgConnection& source,
                          const std::vector<OtherSession>& sessions) {
  absl::Status refusal;
  std::vector<std::string> refused;
  for (const OtherSession& session : sessions) {
    const absl::Status ended =
        source
            .Exec(absl::StrCat("SELECT pg_catalog.pg_terminate_backend(",
                               session.pid, ")"))
            .status();
    if (ended.ok()) continue;
    if (!absl::IsPermissionDenied(ended)) {
      return Annotate(ended, "source: freeze");
    }
    refused.push_back(session.text);
    refusal = ended;
  }
  if (refused.empty()) return absl::OkStatus();
  return WithHint(
      Annotate(refusal,
               absl::StrCat("source: freeze: cannot end ", NameSome(refused))),
      absl::StrCat("end these sessions yourself and ask again, GRANT "
                   "pg_signal_backend TO ",
                   QuoteIdentifier(source.user()),
                   " (it does not reach a superuser's), or stop the writers "
                   "yourself and use --freeze none"));
}

absl::Status EndOtherSessions(PgConnection& source,
                              const std::function<absl::Status()>& wait) {
  ASSIGN_OR_RETURN(std::vector<OtherSession> sessions,
                   ListOtherSessions(source));
  RETURN_IF_ERROR(TerminateAll(source, sessions));
  const absl::Time deadline = absl::Now() + kPatience;
  while (true) {
    ASSIGN_OR_RETURN(sessions, StillThere(source, sessions));
    if (sessions.empty()) return absl::OkStatus();
    if (absl::Now() >= deadline) break;
    RETURN_IF_ERROR(wait());
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "source: freeze: these sessions were told to end and did not within ",
          absl::FormatDuration(kPatience), ": ", NameSome(TextsOf(sessions)))),
      "end them yourself and ask again");
}

}  // namespace

std::string OpenWriters::Describe() const {
  std::vector<std::string> parts;
  if (sessions > 0) parts.push_back(Count(sessions, "open transaction"));
  if (prepared > 0) parts.push_back(Count(prepared, "prepared transaction"));
  return absl::StrJoin(parts, ", ");
}

absl::StatusOr<OpenWriters> CountOpenWriters(PgConnection& source) {
  // Of another role's session a narrow role sees neither state nor
  // transaction. It sees all locks, and a writer holds one on its own xid.
  ASSIGN_OR_RETURN(
      PgResult row,
      source.Exec(
          "SELECT (SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l "
          "JOIN pg_catalog.pg_stat_activity a USING (pid) "
          "WHERE l.locktype = 'transactionid' AND l.granted "
          "AND l.mode = 'ExclusiveLock' "
          "AND a.datname = pg_catalog.current_database() "
          "AND l.pid <> pg_catalog.pg_backend_pid()), "
          "(SELECT count(*) FROM pg_catalog.pg_prepared_xacts "
          "WHERE database = pg_catalog.current_database())"));
  OpenWriters writers;
  ASSIGN_OR_RETURN(writers.sessions, row.Int64(0, 0));
  ASSIGN_OR_RETURN(writers.prepared, row.Int64(0, 1));
  return writers;
}

absl::StatusOr<std::string> ReadOnlySetting(PgConnection& source) {
  return source.QueryValue(
      "SELECT coalesce((SELECT pg_catalog.substr(c, 31) FROM "
      "pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) c "
      "WHERE s.setrole = 0 AND s.setdatabase = (SELECT oid FROM "
      "pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) "
      "AND c LIKE 'default\\_transaction\\_read\\_only=%'), '')");
}

absl::Status FreezeDatabase(PgConnection& source,
                            const std::function<absl::Status()>& wait) {
  const absl::Status set =
      source
          .Exec(absl::StrCat("ALTER DATABASE ",
                             QuoteIdentifier(source.dbname()),
                             " SET default_transaction_read_only = on"))
          .status();
  if (!set.ok()) {
    return WithHint(Annotate(set, "source: freeze"),
                    "only the database's owner may: stop the writers yourself "
                    "and use --freeze none");
  }
  RETURN_IF_ERROR(EndOtherSessions(source, wait));
  // A session that was just starting has read the old setting and was not in
  // the list yet.
  RETURN_IF_ERROR(WaitFor(kStartOfSession, wait));
  return EndOtherSessions(source, wait);
}

absl::Status UnfreezeDatabase(PgConnection& source,
                              const std::string& earlier) {
  // The session itself may have inherited the setting.
  RETURN_IF_ERROR(
      source.Exec("SET default_transaction_read_only = off").status());
  const std::string alter =
      absl::StrCat("ALTER DATABASE ", QuoteIdentifier(source.dbname()));
  return Annotate(
      source
          .Exec(
              earlier.empty()
                  ? absl::StrCat(alter, " RESET default_transaction_read_only")
                  : absl::StrCat(alter, " SET default_transaction_read_only = ",
                                 QuoteLiteral(earlier)))
          .status(),
      "source: unfreeze");
}

}  // namespace walferry
