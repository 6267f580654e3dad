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
#include "bench/process_usage.h"
#include "protocol/byte_cursor.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A backend message: type, length (with itself), body.
constexpr size_t kHeaderBytes = 5;
constexpr size_t kBufferBytes = size_t{4} << 20;

// The message of an ErrorResponse: fields, each a letter and a text.
std::string ErrorText(absl::string_view body) {
  ByteCursor in(body);
  while (in.ok()) {
    const char field = static_cast<char>(in.ReadUint8());
    const absl::string_view text = in.ReadCString();
    if (field == 'M') return std::string(text);
  }
  return "an error without a message";
}

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
      RETURN_IF_ERROR(CountMessage(
          type, bytes.substr(used + kHeaderBytes, size - kHeaderBytes)));
      used += size;
    }
    return used;
  }

  bool reached() const { return last_ >= end_; }
  const DrainResult& result() const { return result_; }

 private:
  absl::Status CountMessage(char type, absl::string_view body) {
    switch (type) {
      case 'd':
        return CountFrame(body);
      case 'W':  // CopyBothResponse: the stream begins.
      case 'N':  // NoticeResponse
      case 'S':  // ParameterStatus
        return absl::OkStatus();
      case 'E':
        return absl::UnavailableError(absl::StrCat("drain: ", ErrorText(body)));
      default:
        return absl::UnavailableError(
            absl::StrCat("drain: the server has ended the stream with message ",
                         absl::string_view(&type, 1)));
    }
  }

  absl::Status CountFrame(absl::string_view frame) {
    if (!frame.empty() && frame.front() == 'w') {
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

absl::Status ReadToEnd(int socket, absl::Duration nap, FrameCounter& counter) {
  std::vector<char> buffer(kBufferBytes);
  size_t held = 0;
  while (!counter.reached()) {
    if (held == buffer.size()) buffer.resize(2 * held);
    const ssize_t got =
        read(socket, buffer.data() + held, buffer.size() - held);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      pollfd readable{.fd = socket, .events = POLLIN, .revents = 0};
      poll(&readable, 1, 1000);
      absl::SleepFor(nap);
      continue;
    }
    if (got <= 0) {
      return absl::UnavailableError("drain: the server has closed the stream");
    }
    held += static_cast<size_t>(got);
    ASSIGN_OR_RETURN(const size_t used, counter.Count({buffer.data(), held}));
    held -= used;
    std::memmove(buffer.data(), buffer.data() + used, held);
    absl::SleepFor(nap);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DrainResult> Drain(const DrainOptions& options) {
  const std::string replication =
      absl::StrCat(options.conninfo,
                   options.conninfo.find('?') == std::string::npos ? "?" : "&",
                   "replication=database&sslmode=disable&gssencmode=disable");
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
      PQconnectdb(replication.c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    return absl::UnavailableError(
        absl::StrCat("drain: ", PQerrorMessage(connection.get())));
  }
  ASSIGN_OR_RETURN(const std::string start,
                   BuildStartReplication(
                       {.slot = options.slot,
                        .publications = {options.publication},
                        .protocol_version = options.stream.protocol_version,
                        .streaming = options.stream.streaming,
                        .binary = options.stream.binary},
                       PQserverVersion(connection.get())));
  const absl::Time begin = absl::Now();
  // A command of a few bytes fits into the socket's buffer at once.
  if (PQsendQuery(connection.get(), start.c_str()) != 1 ||
      PQflush(connection.get()) != 0) {
    return absl::UnavailableError(
        absl::StrCat("drain: ", PQerrorMessage(connection.get())));
  }
  const int socket = PQsocket(connection.get());
  FrameCounter counter(socket, options.end);
  RETURN_IF_ERROR(ReadToEnd(socket, options.nap, counter));
  DrainResult result = counter.result();
  result.elapsed = absl::Now() - begin;
  result.walsender_cpu = CpuTimeOf(PQbackendPID(connection.get()));
  return result;
}

}  // namespace walferry
