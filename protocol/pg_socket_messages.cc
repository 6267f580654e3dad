#include "protocol/pg_socket_messages.h"

#include <libpq-fe.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/byte_cursor.h"
#include "protocol/copy_out_prefix.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

bool IsEncrypted(PGconn* conn) {
  return PQsslInUse(conn) != 0 || PQgssEncInUse(conn) != 0;
}

}  // namespace

absl::StatusOr<bool> SocketAnswers(PgConnection& connection, char type,
                                   absl::Time deadline) {
  PGconn* conn = connection.raw();
  if (IsEncrypted(conn) || PQflush(conn) != 0) return false;
  const absl::Status waited = connection.WaitReadable(deadline);
  if (!waited.ok()) return GiveUp(connection, waited);
  char first = 0;
  return recv(PQsocket(conn), &first, 1, MSG_PEEK) == 1 && first == type;
}

absl::Status TellNotice(PgConnection& connection, absl::string_view body) {
  ASSIGN_OR_RETURN(const ServerNotice notice, DecodeServerNotice(body));
  connection.Notice(
      absl::StrCat(notice.severity, ":  ", notice.primary,
                   notice.detail.empty() ? "" : "\nDETAIL:  ", notice.detail,
                   notice.hint.empty() ? "" : "\nHINT:  ", notice.hint));
  return absl::OkStatus();
}

SocketMessages::SocketMessages(PgConnection& connection, size_t buffer_bytes)
    : socket_(PQsocket(connection.raw())),
      buffer_bytes_(buffer_bytes),
      buffer_(buffer_bytes) {}

absl::StatusOr<std::optional<ServerMessage>> SocketMessages::Take() {
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

SocketMessages::Data SocketMessages::TakeData() {
  constexpr size_t kHeaderBytes = 5;
  char* const bytes = buffer_.data();
  Data data;
  size_t packed = begin_;
  size_t at = begin_;
  while (end_ - at >= kHeaderBytes && bytes[at] == 'd') {
    const uint32_t size = LoadBigEndian<uint32_t>(bytes + at + 1);
    if (size < sizeof(size) || size > end_ - at - 1) break;
    const size_t body = size - sizeof(size);
    std::memmove(bytes + packed, bytes + at + kHeaderBytes, body);
    packed += body;
    at += 1 + size_t{size};
    ++data.messages;
  }
  data.bytes = absl::string_view(bytes + begin_, packed - begin_);
  begin_ = at;
  return data;
}

bool SocketMessages::Ready() const {
  const auto size = ServerMessageSize(held());
  return !size.ok() || (size->has_value() && **size <= held().size());
}

SocketMessages::Fill SocketMessages::ReadAll() {
  if (!MakeRoom()) return Fill::kClosed;
  size_t got = 0;
  const Fill fill = Receive(0, got);
  end_ += got;
  return fill;
}

SocketMessages::Fill SocketMessages::ReadCopyOut() {
  if (!MakeRoom()) return Fill::kClosed;
  size_t got = 0;
  const Fill fill = Receive(MSG_PEEK, got);
  if (fill != Fill::kSome) return fill;
  const size_t ours =
      CopyOutPrefix(absl::string_view(buffer_.data(), end_ + got)) - end_;
  if (ours == 0) return Fill::kForLibpq;
  return Discard(ours) ? Fill::kSome : Fill::kClosed;
}

bool SocketMessages::MakeRoom() {
  const size_t size = end_ - begin_;
  // What a large message needed is given back.
  const size_t capacity = std::max(buffer_bytes_, wanted_);
  if (buffer_.size() != capacity && size <= capacity) {
    std::vector<char> other;
    try {
      other.resize(capacity);
    } catch (const std::bad_alloc&) {
      why_closed_ = WithHint(
          absl::FailedPreconditionError(
              absl::StrCat("no memory for a message of ", capacity, " bytes")),
          "a row is read as a whole: let this process have more memory, or "
          "leave the table's rows out");
      return false;
    }
    std::memcpy(other.data(), buffer_.data() + begin_, size);
    buffer_ = std::move(other);
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, size);
  }
  begin_ = 0;
  end_ = size;
  return true;
}

SocketMessages::Fill SocketMessages::Receive(int flags, size_t& got) {
  while (true) {
    const ssize_t size =
        recv(socket_, buffer_.data() + end_, buffer_.size() - end_, flags);
    if (size > 0) {
      got = static_cast<size_t>(size);
      return Fill::kSome;
    }
    if (size == 0) {
      why_closed_ =
          absl::UnavailableError("server closed the connection unexpectedly");
      return Fill::kClosed;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Fill::kNothing;
    why_closed_ = absl::UnavailableError(absl::StrCat(
        "could not receive data from server: ", std::strerror(errno)));
    return Fill::kClosed;
  }
}

// Takes from the socket what was only looked at. TCP does not copy it a second
// time; other sockets do, to where it is already.
bool SocketMessages::Discard(size_t size) {
  while (size > 0) {
    const ssize_t gone = recv(socket_, buffer_.data() + end_, size, MSG_TRUNC);
    if (gone < 0 && errno == EINTR) continue;
    if (gone <= 0) {
      why_closed_ = absl::UnavailableError(
          "could not receive data from server: what was there is gone");
      return false;
    }
    end_ += static_cast<size_t>(gone);
    size -= static_cast<size_t>(gone);
  }
  return true;
}

}  // namespace walferry
