#include "protocol/pg_copy.h"

#include <libpq-fe.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// What travels in one CopyData and one send(): large enough that neither is
// felt, small enough that libpq's backlog stays cheap to move. With its header
// it is a multiple of the 8 kB in which libpq sends.
constexpr size_t kChunk = 64 * 1024 - 5;

absl::Status StartCopy(PgConnection& connection, const std::string& sql,
                       absl::Time deadline, ExecStatusType expected) {
  RETURN_IF_ERROR(SendQuery(connection, sql));
  ASSIGN_OR_RETURN(PgResult result, AwaitResult(connection, deadline));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == expected) return absl::OkStatus();
  if (status == PGRES_FATAL_ERROR) {
    absl::Status failure = FailureOf(connection, result);
    AwaitEnd(connection, deadline, nullptr).IgnoreError();
    return failure;
  }
  connection.MarkBroken();
  return absl::InternalError(
      absl::StrCat("expected a COPY ",
                   expected == PGRES_COPY_IN ? "FROM STDIN" : "TO STDOUT",
                   ", the server answered ", PQresStatus(status)));
}

}  // namespace

absl::StatusOr<PgCopyOut> PgCopyOut::Start(PgConnection& connection,
                                           const std::string& sql,
                                           absl::Duration idle_timeout) {
  RETURN_IF_ERROR(
      StartCopy(connection, sql, DeadlineAfter(idle_timeout), PGRES_COPY_OUT));
  return PgCopyOut(&connection, idle_timeout);
}

PgCopyOut::PgCopyOut(PgCopyOut&& other) noexcept
    : connection_(other.connection_),
      idle_timeout_(other.idle_timeout_),
      buffer_(std::exchange(other.buffer_, nullptr)),
      done_(std::exchange(other.done_, true)),
      end_(other.end_) {}

PgCopyOut::~PgCopyOut() {
  PQfreemem(buffer_);
  if (!done_) connection_->MarkBroken();
}

absl::StatusOr<std::optional<absl::string_view>> PgCopyOut::Next() {
  PQfreemem(std::exchange(buffer_, nullptr));
  PGconn* conn = connection_->raw();
  while (!done_) {
    const int size = PQgetCopyData(conn, &buffer_, /*async=*/1);
    if (size > 0) {
      return absl::string_view(buffer_, static_cast<size_t>(size));
    }
    const absl::Time deadline = DeadlineAfter(idle_timeout_);
    if (size < 0) {
      Ended(AwaitEnd(*connection_, deadline, nullptr)).IgnoreError();
      break;
    }
    const absl::Status waited = connection_->WaitReadable(deadline);
    if (!waited.ok()) return Ended(GiveUp(*connection_, waited));
    if (PQconsumeInput(conn) == 0) {
      return Ended(ConnectionFailure(*connection_));
    }
  }
  if (!end_.ok()) return end_;
  return std::nullopt;
}

absl::Status PgCopyOut::Ended(absl::Status why) {
  done_ = true;
  end_ = std::move(why);
  return end_;
}

absl::StatusOr<PgCopyIn> PgCopyIn::Start(PgConnection& connection,
                                         const std::string& sql,
                                         absl::Duration idle_timeout) {
  RETURN_IF_ERROR(
      StartCopy(connection, sql, DeadlineAfter(idle_timeout), PGRES_COPY_IN));
  return PgCopyIn(&connection, idle_timeout);
}

PgCopyIn::PgCopyIn(PgCopyIn&& other) noexcept
    : connection_(other.connection_),
      idle_timeout_(other.idle_timeout_),
      pending_(std::move(other.pending_)),
      done_(std::exchange(other.done_, true)) {}

PgCopyIn::~PgCopyIn() {
  if (!done_ && !connection_->broken()) {
    Abort("the copy was given up").IgnoreError();
  }
}

absl::Status PgCopyIn::Write(absl::string_view data) {
  if (done_) return absl::InternalError("write to a COPY that is over");
  while (!data.empty()) {
    const absl::string_view part = data.substr(0, kChunk - pending_.size());
    pending_.append(part.data(), part.size());
    data.remove_prefix(part.size());
    if (pending_.size() == kChunk) RETURN_IF_ERROR(SendPending());
  }
  return absl::OkStatus();
}

// While data is to be sent libpq does not look at the server's errors; they
// come to light when the copy ends. The server drops what it gets until then.
absl::Status PgCopyIn::SendPending() {
  if (pending_.empty()) return absl::OkStatus();
  PGconn* conn = connection_->raw();
  // Only one chunk waits in libpq: it moves its backlog at each partial send.
  const absl::Time deadline = DeadlineAfter(idle_timeout_);
  absl::Status flushed = FlushOutput(*connection_, deadline);
  if (!flushed.ok()) {
    done_ = true;
    return flushed;
  }
  if (PQputCopyData(conn, pending_.data(), static_cast<int>(pending_.size())) !=
          1 ||
      PQflush(conn) < 0) {
    done_ = true;
    return ConnectionFailure(*connection_);
  }
  pending_.clear();
  return absl::OkStatus();
}

absl::StatusOr<int64_t> PgCopyIn::Finish() {
  if (done_) return absl::InternalError("the COPY is over already");
  RETURN_IF_ERROR(SendPending());
  PgResult result;
  RETURN_IF_ERROR(End(nullptr, &result));
  return result.affected_rows();
}

absl::Status PgCopyIn::Abort(const std::string& reason) {
  if (done_) return absl::OkStatus();
  pending_.clear();
  const absl::Status ended = End(reason.c_str(), nullptr);
  if (SqlStateOf(ended) == "57014") return absl::OkStatus();
  if (ended.ok()) {
    return absl::InternalError("the server stored a COPY that was aborted");
  }
  // An error that had happened before also keeps everything out.
  return connection_->broken() ? ended : absl::OkStatus();
}

absl::Status PgCopyIn::End(const char* reason, PgResult* result) {
  done_ = true;
  const absl::Time deadline = DeadlineAfter(idle_timeout_);
  RETURN_IF_ERROR(FlushOutput(*connection_, deadline));
  if (PQputCopyEnd(connection_->raw(), reason) != 1) {
    return ConnectionFailure(*connection_);
  }
  return AwaitEnd(*connection_, deadline, result);
}

}  // namespace walferry
