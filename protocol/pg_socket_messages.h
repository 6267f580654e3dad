#ifndef PROTOCOL_PG_SOCKET_MESSAGES_H_
#define PROTOCOL_PG_SOCKET_MESSAGES_H_

// A server's messages from the bare socket: read in large pieces, and given
// where they lie. For the files of protocol_pg alone.
//
// libpq copies every CopyData into memory of its own, and reads in pieces of a
// few kB. It must not read while this does.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/pg_connection.h"
#include "protocol/server_message.h"

namespace walferry {

// Sends what is queued and awaits the server's answer: whether it begins with a
// message of this type, and is read by us. Nothing is read; where libpq
// encrypts the answer is no. Otherwise libpq is to read it.
absl::StatusOr<bool> SocketAnswers(PgConnection& connection, char type,
                                   absl::Time deadline);

// Hands a NoticeResponse to where the connection's notices go. kDataLoss: it is
// malformed.
absl::Status TellNotice(PgConnection& connection, absl::string_view body);

class SocketMessages {
 public:
  enum class Fill {
    kSome,
    kNothing,  // There is nothing now.
    kClosed,   // By the server, the link is lost, or given up: why_closed().
    kForLibpq,
  };

  SocketMessages(PgConnection& connection, size_t buffer_bytes);

  // The next message, if it is held as a whole; valid until something is read.
  // kDataLoss: what is held is none.
  absl::StatusOr<std::optional<ServerMessage>> Take();

  // The bodies of CopyData.
  struct Data {
    absl::string_view bytes;  // One behind the other.
    int64_t messages = 0;
  };
  // All that are held as a whole before any other message; valid until
  // something is read. They are moved together where they lie.
  Data TakeData();

  // Whether Take() has something to give or to say.
  bool Ready() const;

  // Reads once what is there.
  Fill ReadAll();

  // The same, but leaves to libpq what follows a COPY ... TO STDOUT: all behind
  // CopyDone, or from an error on. It finds that as if it had sent a statement
  // without rows. Only when Take() has nothing any more.
  Fill ReadCopyOut();

  // Once something was kClosed: kUnavailable, or kFailedPrecondition if there
  // is no memory for a message, which is held as a whole.
  const absl::Status& why_closed() const { return why_closed_; }

 private:
  absl::string_view held() const {
    return absl::string_view(buffer_.data() + begin_, end_ - begin_);
  }
  // For what is wanted; false: there is none.
  bool MakeRoom();
  // Behind what is held, with flags of recv(); kSome: `got` bytes.
  Fill Receive(int flags, size_t& got);
  bool Discard(size_t size);

  const int socket_;
  const size_t buffer_bytes_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // Of what is held.
  size_t end_ = 0;
  size_t wanted_ = 0;  // Bytes of the message that is not whole yet.
  absl::Status why_closed_;
};

}  // namespace walferry

#endif  // PROTOCOL_PG_SOCKET_MESSAGES_H_
