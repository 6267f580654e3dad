#include "tests/differential/sessions.h"

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "protocol/status.h"
#include "tests/testing/sql.h"

namespace walferry {
namespace {

// Thread-safe.
class Journal {
 public:
  void Add(size_t session, const std::string& sql, const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    // The status repeats the statement.
    lines_.push_back(absl::StrCat(
        "-- session ", session, ": ",
        status.ok() ? "" : status.message().substr(0, 60), "\n", sql, ";"));
  }
  std::vector<std::string> Lines() {
    const absl::MutexLock lock(&mutex_);
    return lines_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class SessionRunner {
 public:
  SessionRunner(size_t session, SqlConnection& connection, Journal& journal)
      : session_(session), connection_(connection), journal_(journal) {}

  absl::Status Run(const RandomTransaction& transaction) {
    RETURN_IF_ERROR(Execute(transaction.begin));
    bool failed = false;
    for (const std::string& statement : transaction.statements) {
      // Savepoints of the transaction's own must not be inside of the guard.
      const bool guarded = transaction.guarded &&
                           !absl::StartsWith(statement, "SAVEPOINT") &&
                           !absl::StartsWith(statement, "RELEASE") &&
                           !absl::StartsWith(statement, "ROLLBACK");
      if (guarded) RETURN_IF_ERROR(Execute("SAVEPOINT guard"));
      const absl::Status status = Execute(statement);
      if (PQstatus(connection_.raw()) != CONNECTION_OK) return status;
      if (guarded) {
        RETURN_IF_ERROR(
            Execute(status.ok() ? "RELEASE guard" : "ROLLBACK TO guard"));
      } else if (!status.ok()) {
        failed = true;
        break;
      }
    }
    const absl::Status end =
        Execute(failed || !transaction.commit ? "ROLLBACK" : "COMMIT");
    // What is checked late may refuse the commit.
    return PQstatus(connection_.raw()) == CONNECTION_OK ? absl::OkStatus()
                                                        : end;
  }

 private:
  absl::Status Execute(const std::string& sql) {
    absl::Status status = connection_.Exec(sql);
    journal_.Add(session_, sql, status);
    return status;
  }

  const size_t session_;
  SqlConnection& connection_;
  Journal& journal_;
};

absl::Status RunSession(const std::string& conninfo, size_t number,
                        const RandomSession& session, Journal& journal) {
  ASSIGN_OR_RETURN(SqlConnection connection, SqlConnection::Open(conninfo));
  SessionRunner runner(number, connection, journal);
  for (const RandomTransaction& transaction : session) {
    RETURN_IF_ERROR(runner.Run(transaction));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::string>> RunSessions(
    const std::string& conninfo, const std::vector<RandomSession>& sessions) {
  Journal journal;
  std::vector<absl::Status> results(sessions.size());
  std::vector<std::thread> threads;
  for (size_t session = 0; session < sessions.size(); ++session) {
    threads.emplace_back([&, session] {
      results[session] =
          RunSession(conninfo, session, sessions[session], journal);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) RETURN_IF_ERROR(result);
  return journal.Lines();
}

}  // namespace walferry
