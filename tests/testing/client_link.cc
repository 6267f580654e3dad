#include "tests/testing/client_link.h"

#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "protocol/status.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

// "Message Formats" in the PostgreSQL manual. A length counts itself.
constexpr uint32_t kLengthSize = 4;
constexpr uint32_t kProtocol3 = 196608;
constexpr uint32_t kCancelRequest = 80877102;
constexpr uint32_t kSslRequest = 80877103;
constexpr uint32_t kGssEncRequest = 80877104;
// More than a test sends; what is longer is not a length.
constexpr uint32_t kLongest = 64 << 20;

uint32_t BigEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (const char byte : bytes.substr(0, sizeof(value))) {
    value = value << 8 | static_cast<uint8_t>(byte);
  }
  return value;
}

absl::StatusOr<size_t> BodySize(absl::string_view length) {
  const uint32_t size = BigEndian(length);
  if (size < kLengthSize || size > kLongest) {
    return absl::DataLossError(
        absl::StrCat("the client sends a message of length ", size));
  }
  return size - kLengthSize;
}

absl::Status LeftEarly() {
  return absl::UnavailableError("the client leaves inside of a message");
}

}  // namespace

ClientLink::ClientLink(Socket socket) : socket_(std::move(socket)) {
  const timeval patience = absl::ToTimeval(kTestPatience);
  setsockopt(socket_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience,
             sizeof(patience));
  setsockopt(socket_.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience,
             sizeof(patience));
}

absl::StatusOr<std::optional<std::string>> ClientLink::ReadBytes(size_t size) {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t count =
        recv(socket_.fd(), bytes.data() + have, size - have, 0);
    // A reset is how a client leaves that has not read all of our bytes.
    const bool has_left = count == 0 || (count < 0 && errno == ECONNRESET);
    if (has_left && have == 0) return std::nullopt;
    if (has_left) return LeftEarly();
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      return absl::DeadlineExceededError("the client sends nothing");
    }
    if (count < 0) return absl::ErrnoToStatus(errno, "read from the client");
    have += static_cast<size_t>(count);
  }
  return bytes;
}

absl::StatusOr<std::string> ClientLink::ReadStartupPacket() {
  ASSIGN_OR_RETURN(const auto length, ReadBytes(kLengthSize));
  if (!length.has_value()) {
    return absl::UnavailableError("the client leaves before its startup");
  }
  ASSIGN_OR_RETURN(const size_t size, BodySize(*length));
  ASSIGN_OR_RETURN(auto packet, ReadBytes(size));
  if (!packet.has_value()) return LeftEarly();
  return *std::move(packet);
}

absl::StatusOr<ClientStartup> ClientLink::ReadStartup() {
  for (;;) {
    ASSIGN_OR_RETURN(const std::string packet, ReadStartupPacket());
    const uint32_t code = BigEndian(packet);
    if (code == kSslRequest || code == kGssEncRequest) {
      RETURN_IF_ERROR(Send("N"));
      continue;
    }
    ClientStartup startup{.is_cancel_request = code == kCancelRequest};
    if (startup.is_cancel_request) return startup;
    if (code != kProtocol3) {
      return absl::DataLossError(
          absl::StrCat("the client starts with code ", code));
    }
    const std::vector<std::string> fields =
        absl::StrSplit(packet.substr(sizeof(code)), '\0');
    for (size_t field = 0; field + 1 < fields.size(); field += 2) {
      if (!fields[field].empty()) {
        startup.parameters[fields[field]] = fields[field + 1];
      }
    }
    return startup;
  }
}

absl::StatusOr<std::optional<ClientMessage>> ClientLink::Read() {
  ASSIGN_OR_RETURN(const auto header, ReadBytes(1 + kLengthSize));
  if (!header.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(const size_t size,
                   BodySize(absl::string_view(*header).substr(1)));
  ClientMessage message{.type = header->front()};
  if (size > 0) {
    ASSIGN_OR_RETURN(auto body, ReadBytes(size));
    if (!body.has_value()) return LeftEarly();
    message.body = *std::move(body);
  }
  if (message.type == 'Q' && !message.body.empty()) message.body.pop_back();
  return message;
}

absl::Status ClientLink::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return absl::ErrnoToStatus(errno, "write to the client");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

}  // namespace walferry
