#ifndef PROTOCOL_PG_COPY_H_
#define PROTOCOL_PG_COPY_H_

// COPY in both directions over a connection.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/pg_connection.h"

namespace walferry {

class SocketMessages;

// Rows of a copy, as they came.
struct CopyPiece {
  absl::string_view bytes;
  // How many CopyData it is made of. A server sends one for each row; in binary
  // format the first one also has the header, and one more is the trailer.
  int64_t messages = 0;
};

// COPY ... TO STDOUT: receives what the server sends, from the bare socket
// unless it is encrypted.
class PgCopyOut {
 public:
  // Sends `sql` and waits until data may come. The connection outlives this.
  // `idle_timeout` bounds the wait for each piece of data.
  static absl::StatusOr<PgCopyOut> Start(PgConnection& connection,
                                         const std::string& sql,
                                         absl::Duration idle_timeout);
  PgCopyOut(PgCopyOut&& other) noexcept;
  PgCopyOut& operator=(PgCopyOut&&) = delete;
  // A copy that was not read to its end leaves the connection broken.
  ~PgCopyOut();

  // What has come, whole messages, valid until the next call; nullopt when the
  // server has sent all and confirmed it. After an error the same error again.
  absl::StatusOr<std::optional<CopyPiece>> Next();

  // Whether it is in binary format, known once Next() has given something.
  bool binary() const { return binary_; }

  // The rows that the server says it has sent, once it has sent all.
  int64_t rows() const { return rows_; }

 private:
  // What Next() finds without reading: a piece, or that all is over, or
  // neither.
  struct Held {
    std::optional<CopyPiece> piece;
    bool over = false;
  };

  PgCopyOut(PgConnection* connection, absl::Duration idle_timeout,
            std::unique_ptr<SocketMessages> socket);
  absl::StatusOr<Held> NextOfSocket();
  absl::StatusOr<Held> NextOfLibpq();
  absl::Status Read();
  void Finish();
  absl::Status Ended(absl::Status why);

  PgConnection* connection_;
  absl::Duration idle_timeout_;
  std::unique_ptr<SocketMessages> socket_;  // Null: libpq reads.
  bool for_libpq_ = false;  // What comes now is for libpq to read.
  char* buffer_ = nullptr;  // Libpq's.
  bool binary_ = false;
  int64_t rows_ = 0;
  bool done_ = false;
  absl::Status end_;  // What Next() says when all is over and it is not well.
};

// COPY ... FROM STDIN: sends rows.
class PgCopyIn {
 public:
  static absl::StatusOr<PgCopyIn> Start(PgConnection& connection,
                                        const std::string& sql,
                                        absl::Duration idle_timeout);
  PgCopyIn(PgCopyIn&& other) noexcept;
  PgCopyIn& operator=(PgCopyIn&&) = delete;
  // A copy that was neither finished nor aborted is aborted: nothing of it
  // stays on the server.
  ~PgCopyIn();

  // Sends `data`; it may hold any part of the format, rows need not be whole.
  // Waits while the server is slower than we are. An error of the server is
  // found here or in Finish().
  absl::Status Write(absl::string_view data);

  // Ends the data; the number of rows the server stored.
  absl::StatusOr<int64_t> Finish();

  // Ends the COPY with an error, so that the server keeps nothing.
  absl::Status Abort(const std::string& reason);

 private:
  PgCopyIn(PgConnection* connection, absl::Duration idle_timeout)
      : connection_(connection), idle_timeout_(idle_timeout) {}
  absl::Status Send(absl::string_view data);
  absl::Status SendPending();
  absl::Status End(const char* reason, PgResult* result);

  PgConnection* connection_;
  absl::Duration idle_timeout_;
  std::string pending_;
  bool done_ = false;
};

}  // namespace walferry

#endif  // PROTOCOL_PG_COPY_H_
