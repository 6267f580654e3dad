// A copy-both by libpq's own functions: for connections that it encrypts.

#include <libpq-fe.h>
#include <poll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/pg_copy_both.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How long the server's last words are waited for.
constexpr absl::Duration kEndTimeout = absl::Seconds(5);

class LibpqCopyBoth final : public CopyBoth {
 public:
  explicit LibpqCopyBoth(PgConnection& connection) : connection_(connection) {}
  ~LibpqCopyBoth() override { PQfreemem(buffer_); }

  absl::StatusOr<std::optional<absl::string_view>> Next(
      absl::Time deadline) override;
  bool Ready() override;
  absl::Status Send(absl::string_view body) override;
  absl::Status Finish(absl::Time deadline) override;

 private:
  absl::Status Ended();
  absl::Status WhyEnded();
  absl::Status CheckEnd(const PgResult& result);
  absl::Status AwaitServersEnd(absl::Time deadline);
  absl::Status WaitUninterrupted(absl::Time deadline);

  PgConnection& connection_;
  char* buffer_ = nullptr;
  int ready_ = 0;  // Of the CopyData in buffer_ that Next() is to give.
  absl::Status end_;  // Why it is over; OK while it is not.
};

absl::StatusOr<std::optional<absl::string_view>> LibpqCopyBoth::Next(
    absl::Time deadline) {
  PGconn* conn = connection_.raw();
  int size = std::exchange(ready_, 0);
  if (size == 0) {
    PQfreemem(std::exchange(buffer_, nullptr));
    if (!end_.ok()) return end_;
    // What has been read already comes first: one large read, many frames.
    size = PQgetCopyData(conn, &buffer_, /*async=*/1);
  }
  while (size == 0) {
    // Also sends what Send() could not.
    const bool linked = PQconsumeInput(conn) == 1;
    size = PQgetCopyData(conn, &buffer_, /*async=*/1);
    if (size != 0) break;
    if (!linked) return Ended();
    // A frame that trickles in must not hold us beyond the deadline either.
    if (absl::Now() >= deadline) return std::nullopt;
    const absl::Status status =
        PQflush(conn) > 0 ? connection_.WaitReadableOrWritable(deadline)
                          : connection_.WaitReadable(deadline);
    if (absl::IsDeadlineExceeded(status)) return std::nullopt;
    RETURN_IF_ERROR(status);
  }
  if (size < 0) return Ended();
  return absl::string_view(buffer_, static_cast<size_t>(size));
}

bool LibpqCopyBoth::Ready() {
  if (ready_ != 0 || !end_.ok()) return true;
  PQfreemem(std::exchange(buffer_, nullptr));
  ready_ = PQgetCopyData(connection_.raw(), &buffer_, /*async=*/1);
  return ready_ != 0;
}

absl::Status LibpqCopyBoth::Ended() {
  end_ = WhyEnded();
  connection_.MarkBroken();
  return end_;
}

absl::Status LibpqCopyBoth::WhyEnded() {
  ASSIGN_OR_RETURN(const PgResult result,
                   AwaitResult(connection_, absl::Now() + kEndTimeout));
  if (result.get() == nullptr) return ConnectionFailure(connection_);
  RETURN_IF_ERROR(CheckEnd(result));
  return absl::UnavailableError("the server ended the stream");
}

// Whether a stream may end with this result.
absl::Status LibpqCopyBoth::CheckEnd(const PgResult& result) {
  switch (PQresultStatus(result.get())) {
    case PGRES_COMMAND_OK:  // A shutdown: the walsender closes behind it.
    case PGRES_COPY_IN:     // It only waits for our CopyDone.
      return absl::OkStatus();
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
      return FailureOf(connection_, result);
    case PGRES_EMPTY_QUERY:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
      break;
  }
  return absl::DataLossError(
      absl::StrCat("the stream ended with a result of the kind ",
                   PQresStatus(PQresultStatus(result.get()))));
}

absl::Status LibpqCopyBoth::Send(absl::string_view body) {
  PGconn* conn = connection_.raw();
  if (!end_.ok()) return end_;
  if (PQputCopyData(conn, body.data(), static_cast<int>(body.size())) != 1 ||
      PQflush(conn) < 0) {
    return ConnectionFailure(connection_);
  }
  return absl::OkStatus();
}

absl::Status LibpqCopyBoth::Finish(absl::Time deadline) {
  PGconn* conn = connection_.raw();
  PQfreemem(std::exchange(buffer_, nullptr));
  ready_ = 0;
  if (!end_.ok()) return end_;
  if (PQputCopyEnd(conn, nullptr) != 1) return ConnectionFailure(connection_);
  end_ = absl::UnavailableError("the replication stream was finished");
  while (true) {
    const int size = PQgetCopyData(conn, &buffer_, /*async=*/1);
    PQfreemem(std::exchange(buffer_, nullptr));
    if (size > 0) continue;
    if (size < 0) return AwaitServersEnd(deadline);
    RETURN_IF_ERROR(WaitUninterrupted(deadline));
  }
}

absl::Status LibpqCopyBoth::AwaitServersEnd(absl::Time deadline) {
  PGconn* conn = connection_.raw();
  absl::Status failure;
  while (true) {
    while (PQisBusy(conn)) RETURN_IF_ERROR(WaitUninterrupted(deadline));
    const PgResult result(PQgetResult(conn));
    if (result.get() == nullptr) return failure;
    if (failure.ok()) failure = CheckEnd(result);
    if (connection_.broken()) return failure;
  }
}

// The interrupt does not end it: this is how one stops.
absl::Status LibpqCopyBoth::WaitUninterrupted(absl::Time deadline) {
  PGconn* conn = connection_.raw();
  const short events = PQflush(conn) > 0 ? POLLIN | POLLOUT : POLLIN;
  const absl::Status status =
      WaitForSocket(PQsocket(conn), events,
                    {.deadline = deadline, .at_most = absl::Milliseconds(100)});
  if (!status.ok()) return GiveUp(connection_, status);
  if (PQconsumeInput(conn) != 1) return ConnectionFailure(connection_);
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<CopyBoth> MakeLibpqCopyBoth(PgConnection& connection) {
  return std::make_unique<LibpqCopyBoth>(connection);
}

}  // namespace walferry
