#include "bench/catchup/drain.h"

#include <libpq-fe.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/byte_cursor.h"
#include "protocol/quoting.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A backend message: type, length (with itself), body.
constexpr size_t kHeaderBytes = 5;
constexpr size_t kBufferBytes = size_t{4} << 20;

class FrameCounter {
 public:
  FrameCounter(int socket, Lsn end) : socket_(socket), end_(end) {}

  // Counts whole messages at the front of `bytes`; how many bytes they take.
  absl::StatusOr<size_t> Count(absl::string_view bytes) {
    size_t used = 0;
    while (bytes.size() - used >= kHeaderBytes) {
      ByteCursor header(bytes.substr(used, kHeaderBytes));
      const char type = static_cast<char>(header.ReadUint8());
      const size_t size = 1 + header.ReadUint32();
      if (bytes.size() - used < size) break;
      if (type != 'd') {
        return absl::UnavailableError(absl::StrCat(
            "drain: the server sent message ", absl::string_view(&type, 1)));
      }
      RETURN_IF_ERROR(
          CountFrame(bytes.substr(used + kHeaderBytes, size - kHeaderBytes)));
      used += size;
    }
    return used;
  }

  bool reached() const { return last_ >= end_; }
  const DrainResult& result() const { return result_; }

 private:
  absl::Status CountFrame(absl::string_view frame) {
    if (frame.front() == 'w') {
      ++result_.frames;
      result_.bytes += static_cast<int64_t>(frame.size());
      ByteCursor in(frame.substr(1));
      last_ = std::max(last_, Lsn(in.ReadUint64()));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(const Frame decoded, DecodeFrame(frame));
    const Keepalive& keepalive = std::get<Keepalive>(decoded);
    last_ = std::max(last_, keepalive.wal_end);
    return keepalive.reply_requested ? Answer() : absl::OkStatus();
  }

  // Alive, and makes no statement about positions.
  absl::Status Answer() const {
    const std::string status = BuildStandbyStatus({});
    std::string message = "d";
    for (int shift = 24; shift >= 0; shift -= 8) {
      message.push_back(static_cast<char>((status.size() + 4) >> shift));
    }
    message += status;
    if (write(socket_, message.data(), message.size()) !=
        static_cast<ssize_t>(message.size())) {
      return absl::UnavailableError("drain: cannot answer the server");
    }
    return absl::OkStatus();
  }

  const int socket_;
  const Lsn end_;
  Lsn last_;
  DrainResult result_;
};

}  // namespace

absl::StatusOr<DrainResult> Drain(const std::string& conninfo,
                                  const std::string& slot,
                                  const std::string& publication, Lsn end,
                                  absl::Duration nap) {
  const std::string replication = absl::StrCat(
      conninfo, conninfo.find('?') == std::string::npos ? "?" : "&",
      "replication=database&sslmode=disable");
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdb(replication.c_str()), &PQfinish);
  const std::string start = absl::StrCat(
      "START_REPLICATION SLOT ", slot,
      " LOGICAL 0/0 (proto_version '2', streaming 'on', publication_names ",
      QuotePublicationNames({publication}), ")");
  const std::unique_ptr<PGresult, decltype(&PQclear)> started(
      PQexec(connection.get(), start.c_str()), &PQclear);
  if (PQresultStatus(started.get()) != PGRES_COPY_BOTH) {
    return absl::UnavailableError(
        absl::StrCat("drain: ", PQerrorMessage(connection.get())));
  }
  const absl::Time begin = absl::Now();
  const int socket = PQsocket(connection.get());
  FrameCounter counter(socket, end);
  // What libpq has read already; each piece is one frame without its header.
  char* piece = nullptr;
  int64_t frames = 0;
  while (PQgetCopyData(connection.get(), &piece, 1) > 0) {
    ++frames;
    PQfreemem(piece);
  }
  std::vector<char> buffer(kBufferBytes);
  size_t held = 0;
  while (!counter.reached()) {
    const ssize_t got =
        read(socket, buffer.data() + held, buffer.size() - held);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
      poll(&readable, 1, 1000);
      absl::SleepFor(nap);
      continue;
    }
    if (got <= 0) {
      return absl::UnavailableError("drain: the server closed the stream");
    }
    held += static_cast<size_t>(got);
    ASSIGN_OR_RETURN(const size_t used, counter.Count({buffer.data(), held}));
    held -= used;
    std::memmove(buffer.data(), buffer.data() + used, held);
    absl::SleepFor(nap);
  }
  DrainResult result = counter.result();
  result.elapsed = absl::Now() - begin;
  result.frames += frames;
  return result;
}

}  // namespace walferry
