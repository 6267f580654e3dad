// A copy-both on the bare socket: reads as much as there is, and gives every
// CopyData where it lies.

#include <libpq-fe.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/byte_writer.h"
#include "protocol/pg_copy_both.h"
#include "protocol/pg_result.h"
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
        buffer_(kBufferBytes) {}

  absl::StatusOr<std::optional<absl::string_view>> Next(
      absl::Time deadline) override;
  bool Ready() override;
  absl::Status Send(absl::string_view body) override;
  absl::Status Finish(absl::Time deadline) override;

 private:
  absl::string_view held() const {
    return absl::string_view(buffer_.data() + begin_, end_ - begin_);
  }
  // The next whole message of those held.
  absl::StatusOr<std::optional<ServerMessage>> Take();
  // Reads once; false: there is nothing now.
  absl::StatusOr<bool> Fill();
  void MakeRoom();
  absl::Status Flush();
  absl::Status Queue(char type, absl::string_view body);
  absl::Status OnOther(const ServerMessage& message);
  absl::Status OnNotice(const ServerMessage& message);
  absl::Status TakeUntilDone(bool& done);
  absl::Status Ended(absl::Status why);

  PgConnection& connection_;
  const int socket_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // Of what is held.
  size_t end_ = 0;
  size_t wanted_ = 0;  // Bytes of the message that is not whole yet.
  std::string unsent_;
  absl::Status over_;  // Why it is over; OK while it is not.
};

absl::StatusOr<std::optional<absl::string_view>> SocketCopyBoth::Next(
    absl::Time deadline) {
  if (!over_.ok()) return over_;
  while (true) {
    auto message = Take();
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
  const auto size = ServerMessageSize(held());
  return !size.ok() || (size->has_value() && **size <= held().size());
}

absl::StatusOr<std::optional<ServerMessage>> SocketCopyBoth::Take() {
  wanted_ = 0;
  ASSIGN_OR_RETURN(const std::optional<size_t> size, ServerMessageSize(held()));
  if (!size.has_value()) return std::nullopt;
  if (*size > held().size()) {
    wanted_ = *size;
    return std::nullopt;
  }
  const ServerMessage message = FrontServerMessage(held());
  begin_ += *size;
  return message;
}

absl::StatusOr<bool> SocketCopyBoth::Fill() {
  MakeRoom();
  while (true) {
    const ssize_t got =
        recv(socket_, buffer_.data() + end_, buffer_.size() - end_, 0);
    if (got > 0) {
      end_ += static_cast<size_t>(got);
      return true;
    }
    if (got == 0) {
      return Ended(
          absl::UnavailableError("server closed the connection unexpectedly"));
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    return Ended(absl::UnavailableError(absl::StrCat(
        "could not receive data from server: ", std::strerror(errno))));
  }
}

void SocketCopyBoth::MakeRoom() {
  const size_t size = end_ - begin_;
  // What a large message needed is given back.
  const size_t capacity = std::max(kBufferBytes, wanted_);
  if (buffer_.size() != capacity && size <= capacity) {
    std::vector<char> other(capacity);
    std::memcpy(other.data(), buffer_.data() + begin_, size);
    buffer_ = std::move(other);
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, size);
  }
  begin_ = 0;
  end_ = size;
}

absl::Status SocketCopyBoth::OnOther(const ServerMessage& message) {
  switch (message.type) {
    case 'W':  // CopyBothResponse: it begins.
    case 'S':  // ParameterStatus.
    case 'A':  // NotificationResponse.
      return absl::OkStatus();
    case 'N':
      return OnNotice(message);
    case 'E': {
      const auto error = DecodeServerNotice(message.body);
      return Ended(error.ok() ? StatusOfServerError(*error) : error.status());
    }
    default:
      return Ended(absl::UnavailableError("the server ended the stream"));
  }
}

absl::Status SocketCopyBoth::OnNotice(const ServerMessage& message) {
  const auto notice = DecodeServerNotice(message.body);
  if (!notice.ok()) return Ended(notice.status());
  connection_.Notice(
      absl::StrCat(notice->severity, ":  ", notice->primary,
                   notice->detail.empty() ? "" : "\nDETAIL:  ", notice->detail,
                   notice->hint.empty() ? "" : "\nHINT:  ", notice->hint));
  return absl::OkStatus();
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
    auto message = Take();
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
