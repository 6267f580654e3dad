#include "bench/verify/query_run.h"

#include <algorithm>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/synchronization/mutex.h"
#include "engine/verify/both_sides.h"
#include "engine/verify/snapshot_pair.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr int64_t kRangeBytes = int64_t{64} << 20;

// Rows are numbered from 1 on, without a gap.
absl::StatusOr<std::vector<std::string>> Queries(const EqualServers& servers) {
  std::vector<std::string> queries;
  for (const SampleTable& table : servers.tables()) {
    ASSIGN_OR_RETURN(const int64_t bytes, servers.BytesOf(table.name));
    ASSIGN_OR_RETURN(
        const std::string last,
        servers.source().QueryValue(
            absl::StrCat("SELECT max(id) FROM ", table.name), "app"));
    int64_t rows = 0;
    if (!absl::SimpleAtoi(last, &rows)) {
      return absl::InternalError("a key that is no number: " + last);
    }
    const int64_t ranges = std::max<int64_t>(1, bytes / kRangeBytes);
    for (int64_t range = 0; range < ranges; ++range) {
      queries.push_back(absl::Substitute(
          "SELECT count(*), sum(hashtext(t::text)) FROM $0 t WHERE id > $1 AND "
          "id <= $2",
          table.name, rows * range / ranges, rows * (range + 1) / ranges));
    }
  }
  return queries;
}

class QueryQueue {
 public:
  explicit QueryQueue(const std::vector<std::string>& queries)
      : left_(queries.begin(), queries.end()) {}

  absl::Status Work(const EqualServers& servers) {
    ASSIGN_OR_RETURN(SessionPair sessions, Open(servers));
    while (true) {
      std::string query;
      {
        const absl::MutexLock lock(&mutex_);
        if (left_.empty()) return absl::OkStatus();
        query = std::move(left_.front());
        left_.pop_front();
      }
      ASSIGN_OR_RETURN(const BothAnswers answers,
                       AskBoth(sessions, query, query));
      for (int column = 0; column < 2; ++column) {
        if (answers.source.Text(0, column) == answers.target.Text(0, column)) {
          continue;
        }
        return absl::DataLossError("the answers differ: " + query);
      }
    }
  }

 private:
  static absl::StatusOr<SessionPair> Open(const EqualServers& servers) {
    ASSIGN_OR_RETURN(
        PgConnection source,
        PgConnection::Open({.conninfo = servers.source().ConnInfo("app")}));
    ASSIGN_OR_RETURN(
        PgConnection target,
        PgConnection::Open({.conninfo = servers.target().ConnInfo("app")}));
    // One process reads a range, as walferry has it.
    for (PgConnection* const session : {&source, &target}) {
      RETURN_IF_ERROR(
          session->Exec("SET max_parallel_workers_per_gather = 0").status());
    }
    return SessionPair{.source = std::move(source),
                       .target = std::move(target)};
  }

  absl::Mutex mutex_;
  std::deque<std::string> left_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status RunQueries(const EqualServers& servers, int jobs) {
  ASSIGN_OR_RETURN(const std::vector<std::string> queries, Queries(servers));
  QueryQueue queue(queries);
  std::vector<absl::Status> ended(static_cast<size_t>(jobs));
  {
    std::vector<std::jthread> threads;
    for (absl::Status& status : ended) {
      threads.emplace_back([&] { status = queue.Work(servers); });
    }
  }
  for (const absl::Status& status : ended) RETURN_IF_ERROR(status);
  return absl::OkStatus();
}

}  // namespace walferry
