#include "protocol/pg_wait.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/pg_cancel.h"
#include "protocol/pg_failure.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Without its eventfd an interrupt can only be looked at now and then.
constexpr absl::Duration kBlindInterval = absl::Milliseconds(100);

int PollTimeout(absl::Duration left) {
  if (left == absl::InfiniteDuration()) return -1;
  const int64_t milliseconds =
      absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)));
  return static_cast<int>(
      std::clamp<int64_t>(milliseconds, 0, std::numeric_limits<int>::max()));
}

}  // namespace

absl::Status WaitForSocket(int fd, short events, const SocketWait& wait) {
  absl::InlinedVector<pollfd, 3> polled = {{fd, events, 0}};
  absl::Duration at_most = wait.at_most;
  for (const Interrupt* wake = wait.interrupt; wake != nullptr;
       wake = wake->parent()) {
    polled.push_back({wake->fd(), POLLIN, 0});
    if (wake->fd() < 0) at_most = std::min(at_most, kBlindInterval);
  }
  const absl::Time slice_end = DeadlineAfter(at_most);
  while (true) {
    if (wait.interrupt != nullptr && wait.interrupt->raised()) {
      return absl::CancelledError("interrupted");
    }
    const absl::Time end = std::min(wait.deadline, slice_end);
    absl::Duration left = absl::InfiniteDuration();
    if (end != absl::InfiniteFuture()) {
      left = std::max(end - absl::Now(), absl::ZeroDuration());
    }
    const int ready = poll(polled.data(), polled.size(), PollTimeout(left));
    if (ready < 0 && errno != EINTR) {
      return absl::InternalError(absl::StrCat("poll: ", strerror(errno)));
    }
    if (ready > 0 && polled.front().revents != 0) return absl::OkStatus();
    if (ready == 0 && absl::Now() >= wait.deadline) {
      return absl::DeadlineExceededError("no answer in time");
    }
    if (ready == 0 && absl::Now() >= slice_end) return absl::OkStatus();
  }
}

absl::Time DeadlineAfter(absl::Duration timeout) {
  return timeout == absl::InfiniteDuration() ? absl::InfiniteFuture()
                                             : absl::Now() + timeout;
}

absl::Status GiveUp(PgConnection& connection, const absl::Status& why) {
  if (absl::IsDeadlineExceeded(why) || absl::IsCancelled(why)) {
    SendCancelRequest(connection.raw());
  }
  connection.MarkBroken();
  return why;
}

absl::Status ConnectionFailure(PgConnection& connection) {
  PGconn* conn = connection.raw();
  connection.MarkBroken();
  const absl::Status link = LinkFailure(PQerrorMessage(conn));
  if (PQstatus(conn) != CONNECTION_BAD) return link;
  // While data is to be sent libpq leaves the server's messages unread.
  PQputCopyEnd(conn, "the link is lost");
  const absl::Status told =
      AwaitEnd(connection, absl::InfinitePast(), /*last=*/nullptr);
  return SqlStateOf(told).empty() ? link : told;
}

absl::Status SendFailure(PgConnection& connection) {
  if (connection.broken()) return ConnectionFailure(connection);
  return absl::InternalError(absl::StrCat(
      "libpq refuses to send a statement: ",
      absl::StripAsciiWhitespace(PQerrorMessage(connection.raw()))));
}

absl::Status FailureOf(PgConnection& connection, const PgResult& result) {
  absl::Status failure = StatusOfResult(result.get());
  // libpq's own: it goes on after most of these, waiting for what never comes.
  if (SqlStateOf(failure).empty()) connection.MarkBroken();
  return failure;
}

absl::Status FlushOutput(PgConnection& connection, absl::Time deadline) {
  PGconn* conn = connection.raw();
  while (true) {
    const int left = PQflush(conn);
    if (left == 0) return absl::OkStatus();
    if (left < 0) return ConnectionFailure(connection);
    absl::Status status = connection.WaitReadableOrWritable(deadline);
    if (!status.ok()) return GiveUp(connection, status);
    if (PQconsumeInput(conn) == 0) return ConnectionFailure(connection);
  }
}

absl::StatusOr<PgResult> AwaitResult(PgConnection& connection,
                                     absl::Time deadline) {
  PGconn* conn = connection.raw();
  // A dead link has no socket to wait for, and PQgetResult does not block then.
  while (PQstatus(conn) != CONNECTION_BAD && PQisBusy(conn)) {
    const int left = PQflush(conn);
    absl::Status status = left > 0 ? connection.WaitReadableOrWritable(deadline)
                                   : connection.WaitReadable(deadline);
    if (!status.ok()) return GiveUp(connection, status);
    if (PQconsumeInput(conn) == 0 && PQstatus(conn) != CONNECTION_BAD) {
      return ConnectionFailure(connection);
    }
  }
  return PgResult(PQgetResult(conn));
}

absl::Status AwaitEnd(PgConnection& connection, absl::Time deadline,
                      PgResult* last) {
  absl::Status failure;
  while (true) {
    ASSIGN_OR_RETURN(PgResult result, AwaitResult(connection, deadline));
    if (result.get() == nullptr) return failure;
    switch (PQresultStatus(result.get())) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_SINGLE_TUPLE:
      case PGRES_EMPTY_QUERY:
        if (last != nullptr) *last = std::move(result);
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        connection.MarkBroken();
        return absl::InternalError(
            "the statement started a COPY where rows were expected");
      case PGRES_BAD_RESPONSE:
      case PGRES_NONFATAL_ERROR:
      case PGRES_FATAL_ERROR:
      case PGRES_PIPELINE_SYNC:
      case PGRES_PIPELINE_ABORTED:
        if (failure.ok()) failure = FailureOf(connection, result);
        if (connection.broken()) return failure;
        break;
    }
  }
}

absl::Status SendQuery(PgConnection& connection, const std::string& sql) {
  if (connection.broken()) {
    return absl::UnavailableError("the connection is gone");
  }
  if (PQsendQuery(connection.raw(), sql.c_str()) == 1) return absl::OkStatus();
  return SendFailure(connection);
}

}  // namespace walferry
