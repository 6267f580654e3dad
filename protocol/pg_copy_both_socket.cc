// A copy-both on the bare socket: reads as much as there is, and gives every
// CopyData where it lies.

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "protocol/byte_writer.h"
#include "protocol/pg_copy_both.h"
#include "protocol/pg_result.h"
#include "protocol/pg_socket_messages.h"
#include "protocol/pg_wait.h"
#include "protocol/server_message.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

class SocketCopyBoth final : public CopyBoth {
 public:
  explicit SocketCopyBoth(PgConnection& connection)
      : connection_(connection),
        socket_(PQsocket(connection.raw())),
        messages_(connection, kBufferBytes) {}

  absl::StatusOr<std::optional<absl::string_view>> Next(
      absl::Time deadline) override;
  bool Ready() override;
  absl::Status Send(absl::string_view body) override;
  absl::Status Finish(absl::Time deadline) override;

 private:
  // Reads once; false: there is nothing now.
  absl::StatusOr<bool> Fill();
  absl::Status Flush();
  absl::Status Queue(char type, absl::string_view body);
  absl::Status OnOther(const ServerMessage& message);
  absl::Status TakeUntilDone(bool& done);
  absl::Status Ended(absl::Status why);

  PgConnection& connection_;
  const int socket_;
  SocketMessages messages_;
  std::string unsent_;
  absl::Status over_;  // Why it is over; OK while it is not.
};

absl::StatusOr<std::optional<absl::string_view>> SocketCopyBoth::Next(
    absl::Time deadline) {
  if (!over_.ok()) return over_;
  while (true) {
    auto message = messages_.Take();
    if (!message.ok()) return Ended(message.status());
    if (message->has_value()) {
      if ((*message)->type == 'd') return (*message)->body;
      RETURN_IF_ERROR(OnOther(**message));
      continue;
    }
    RETURN_IF_ERROR(Flush());
    ASSIGN_OR_RETURN(const bool filled, Fill());
    if (filled) continue;
    if (absl::Now() >= deadline) return std::nullopt;
    const absl::Status status =
        unsent_.empty() ? connection_.WaitReadable(deadline)
                        : connection_.WaitReadableOrWritable(deadline);
    if (absl::IsDeadlineExceeded(status)) return std::nullopt;
    RETURN_IF_ERROR(status);
  }
}

bool SocketCopyBoth::Ready() {
  if (!over_.ok()) return true;
  return messages_.Ready();
}

absl::StatusOr<bool> SocketCopyBoth::Fill() {
  switch (messages_.ReadAll()) {
    case SocketMessages::Fill::kSome:
      return true;
    case SocketMessages::Fill::kNothing:
      return false;
    case SocketMessages::Fill::kForLibpq:  // Not when all is read.
    case SocketMessages::Fill::kClosed:
      return Ended(messages_.why_closed());
  }
  return false;
}

absl::Status SocketCopyBoth::OnOther(const ServerMessage& message) {
  switch (message.type) {
    case 'W':  // CopyBothResponse: it begins.
    case 'S':  // ParameterStatus.
    case 'A':  // NotificationResponse.
      return absl::OkStatus();
    case 'N':
      if (absl::Status told = TellNotice(connection_, message.body);
          !told.ok()) {
        return Ended(told);
      }
      return absl::OkStatus();
    case 'E': {
      const auto error = DecodeServerNotice(message.body);
      return Ended(error.ok() ? StatusOfServerError(*error) : error.status());
    }
    default:
      return Ended(absl::UnavailableError("the server ended the stream"));
  }
}

absl::Status SocketCopyBoth::Send(absl::string_view body) {
  if (!over_.ok()) return over_;
  return Queue('d', body);
}

absl::Status SocketCopyBoth::Queue(char type, absl::string_view body) {
  unsent_.push_back(type);
  AppendBigEndian(static_cast<uint32_t>(body.size() + sizeof(uint32_t)),
                  &unsent_);
  unsent_.append(body.data(), body.size());
  return Flush();
}

absl::Status SocketCopyBoth::Flush() {
  while (!unsent_.empty()) {
    const ssize_t sent =
        send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      unsent_.erase(0, static_cast<size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    // What the server said before it went says more; Next() finds it.
    unsent_.clear();
  }
  return absl::OkStatus();
}

absl::Status SocketCopyBoth::Finish(absl::Time deadline) {
  if (!over_.ok()) return over_;
  RETURN_IF_ERROR(Queue('c', ""));
  bool done = false;
  while (true) {
    RETURN_IF_ERROR(TakeUntilDone(done));
    if (done) break;
    RETURN_IF_ERROR(Flush());
    ASSIGN_OR_RETURN(const bool filled, Fill());
    if (filled) continue;
    const absl::Status waited = WaitForSocket(
        socket_, unsent_.empty() ? POLLIN : POLLIN | POLLOUT,
        {.deadline = deadline, .at_most = absl::Milliseconds(100)});
    if (!waited.ok()) {
      over_ = GiveUp(connection_, waited);
      return over_;
    }
  }
  Ended(absl::UnavailableError("the replication stream was finished"))
      .IgnoreError();
  return absl::OkStatus();
}

// ReadyForQuery: the walsender has let go of the slot.
absl::Status SocketCopyBoth::TakeUntilDone(bool& done) {
  while (!done) {
    auto message = messages_.Take();
    if (!message.ok()) return Ended(message.status());
    if (!message->has_value()) break;
    const char type = (*message)->type;
    done = type == 'Z';
    if (type == 'E' || type == 'N') RETURN_IF_ERROR(OnOther(**message));
  }
  return absl::OkStatus();
}

absl::Status SocketCopyBoth::Ended(absl::Status why) {
  over_ = std::move(why);
  connection_.MarkBroken();
  return over_;
}

}  // namespace

std::unique_ptr<CopyBoth> MakeSocketCopyBoth(PgConnection& connection) {
  return std::make_unique<SocketCopyBoth>(connection);
}

}  // namespace walferry
