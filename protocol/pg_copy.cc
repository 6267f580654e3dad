#include "protocol/pg_copy.h"

#include <libpq-fe.h>

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/pg_socket_messages.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// What is read at a time; more of it would not stay in the processor's cache
// until it is sent on.
constexpr size_t kReadBytes = 256 * 1024;

// What travels in one CopyData and one send(): large enough that neither is
// felt, small enough that libpq's backlog stays cheap to move. With its header
// it is a multiple of the 8 kB in which libpq sends.
constexpr size_t kChunk = 64 * 1024 - 5;

// The answer to a statement that should begin a copy.
absl::StatusOr<PgResult> AwaitCopy(PgConnection& connection,
                                   absl::Time deadline,
                                   ExecStatusType expected) {
  ASSIGN_OR_RETURN(PgResult result, AwaitResult(connection, deadline));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == expected) return result;
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
  const absl::Time deadline = DeadlineAfter(idle_timeout);
  RETURN_IF_ERROR(SendQuery(connection, sql));
  ASSIGN_OR_RETURN(const bool direct, SocketAnswers(connection, 'H', deadline));
  if (direct) {
    return PgCopyOut(&connection, idle_timeout,
                     std::make_unique<SocketMessages>(connection, kReadBytes));
  }
  ASSIGN_OR_RETURN(const PgResult begun,
                   AwaitCopy(connection, deadline, PGRES_COPY_OUT));
  PgCopyOut copy(&connection, idle_timeout, /*socket=*/nullptr);
  copy.binary_ = PQbinaryTuples(begun.get()) != 0;
  return copy;
}

PgCopyOut::PgCopyOut(PgConnection* connection, absl::Duration idle_timeout,
                     std::unique_ptr<SocketMessages> socket)
    : connection_(connection),
      idle_timeout_(idle_timeout),
      socket_(std::move(socket)) {}

PgCopyOut::PgCopyOut(PgCopyOut&& other) noexcept
    : connection_(other.connection_),
      idle_timeout_(other.idle_timeout_),
      socket_(std::move(other.socket_)),
      for_libpq_(other.for_libpq_),
      buffer_(std::exchange(other.buffer_, nullptr)),
      binary_(other.binary_),
      rows_(other.rows_),
      done_(std::exchange(other.done_, true)),
      end_(other.end_) {}

PgCopyOut::~PgCopyOut() {
  PQfreemem(buffer_);
  if (!done_) connection_->MarkBroken();
}

absl::StatusOr<std::optional<CopyPiece>> PgCopyOut::Next() {
  while (!done_) {
    const absl::StatusOr<Held> held =
        socket_ != nullptr ? NextOfSocket() : NextOfLibpq();
    if (!held.ok()) {
      connection_->MarkBroken();
      return Ended(held.status());
    }
    if (held->piece.has_value()) return held->piece;
    if (held->over) {
      Finish();
      break;
    }
    const absl::Status waited =
        connection_->WaitReadable(DeadlineAfter(idle_timeout_));
    if (!waited.ok()) return Ended(GiveUp(*connection_, waited));
    if (absl::Status read = Read(); !read.ok()) return Ended(std::move(read));
  }
  if (!end_.ok()) return end_;
  return std::nullopt;
}

absl::StatusOr<PgCopyOut::Held> PgCopyOut::NextOfSocket() {
  while (!for_libpq_) {
    const SocketMessages::Data data = socket_->TakeData();
    if (data.messages > 0) {
      return Held{.piece = CopyPiece{data.bytes, data.messages}};
    }
    ASSIGN_OR_RETURN(const std::optional<ServerMessage> message,
                     socket_->Take());
    if (!message.has_value()) return Held{};
    switch (message->type) {
      case 'H':  // CopyOutResponse, whose first byte is the format.
        binary_ = !message->body.empty() && message->body.front() == 1;
        break;
      case 'N':
        RETURN_IF_ERROR(TellNotice(*connection_, message->body));
        break;
      case 'c':
        for_libpq_ = true;
        break;
      default:  // Parameters, which no copy changes, and notifications.
        break;
    }
  }
  return Held{.over = true};
}

absl::StatusOr<PgCopyOut::Held> PgCopyOut::NextOfLibpq() {
  PQfreemem(std::exchange(buffer_, nullptr));
  const int size = PQgetCopyData(connection_->raw(), &buffer_, /*async=*/1);
  if (size <= 0) return Held{.over = size < 0};
  return Held{
      .piece = CopyPiece{absl::string_view(buffer_, static_cast<size_t>(size)),
                         /*messages=*/1}};
}

// Takes in what has come. An error: the connection is lost.
absl::Status PgCopyOut::Read() {
  if (socket_ == nullptr) {
    if (PQconsumeInput(connection_->raw()) != 0) return absl::OkStatus();
    return ConnectionFailure(*connection_);
  }
  switch (socket_->ReadCopyOut()) {
    case SocketMessages::Fill::kSome:
    case SocketMessages::Fill::kNothing:
      break;
    case SocketMessages::Fill::kForLibpq:
      for_libpq_ = true;
      break;
    case SocketMessages::Fill::kClosed:
      // Libpq must not read on in the middle of a message.
      connection_->MarkBroken();
      return socket_->why_closed();
  }
  return absl::OkStatus();
}

// All has come but the server's word that it is well.
void PgCopyOut::Finish() {
  PgResult last;
  Ended(AwaitEnd(*connection_, DeadlineAfter(idle_timeout_), &last))
      .IgnoreError();
  if (end_.ok()) rows_ = last.affected_rows();
}

absl::Status PgCopyOut::Ended(absl::Status why) {
  done_ = true;
  end_ = std::move(why);
  return end_;
}

absl::StatusOr<PgCopyIn> PgCopyIn::Start(PgConnection& connection,
                                         const std::string& sql,
                                         absl::Duration idle_timeout) {
  RETURN_IF_ERROR(SendQuery(connection, sql));
  RETURN_IF_ERROR(
      AwaitCopy(connection, DeadlineAfter(idle_timeout), PGRES_COPY_IN)
          .status());
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
    // A whole chunk need not be put together.
    if (pending_.empty() && data.size() >= kChunk) {
      RETURN_IF_ERROR(Send(data.substr(0, kChunk)));
      data.remove_prefix(kChunk);
      continue;
    }
    const absl::string_view part = data.substr(0, kChunk - pending_.size());
    pending_.append(part.data(), part.size());
    data.remove_prefix(part.size());
    if (pending_.size() == kChunk) RETURN_IF_ERROR(SendPending());
  }
  return absl::OkStatus();
}

absl::Status PgCopyIn::SendPending() {
  if (pending_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(Send(pending_));
  pending_.clear();
  return absl::OkStatus();
}

// While data is to be sent libpq does not look at the server's errors; they
// come to light when the copy ends. The server drops what it gets until then.
absl::Status PgCopyIn::Send(absl::string_view data) {
  PGconn* conn = connection_->raw();
  // Only one chunk waits in libpq: it moves its backlog at each partial send.
  const absl::Time deadline = DeadlineAfter(idle_timeout_);
  absl::Status flushed = FlushOutput(*connection_, deadline);
  if (!flushed.ok()) {
    done_ = true;
    return flushed;
  }
  if (PQputCopyData(conn, data.data(), static_cast<int>(data.size())) != 1 ||
      PQflush(conn) < 0) {
    done_ = true;
    return ConnectionFailure(*connection_);
  }
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
