#include "apply/stream_lock.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(100);

// FNV-1a, because its values must never change.
uint64_t StableHash(absl::string_view bytes, uint64_t hash) {
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

std::string Arguments(StreamLockKey key) {
  return absl::StrCat(key.first, ", ", key.second);
}

}  // namespace

StreamLockKey StreamLockKeyOf(absl::string_view ledger_schema,
                              absl::string_view stream) {
  uint64_t hash = StableHash(ledger_schema, 0xcbf29ce484222325);
  hash = StableHash(absl::string_view("\0", 1), hash);
  hash = StableHash(stream, hash);
  return {.first = static_cast<int32_t>(hash >> 32),
          .second = static_cast<int32_t>(hash)};
}

std::string StreamLockHolder::ToString() const {
  std::string text = absl::StrCat("process ", pid);
  if (!application_name.empty()) {
    absl::StrAppend(&text, " (\"", application_name, "\"");
    if (!client_address.empty()) absl::StrAppend(&text, " at ", client_address);
    absl::StrAppend(&text, ")");
  }
  return text;
}

absl::StatusOr<std::optional<StreamLockHolder>> FindStreamLockHolder(
    PgConnection& connection, StreamLockKey key) {
  // pg_locks shows the keys as oid, unsigned.
  ASSIGN_OR_RETURN(
      const PgResult result,
      connection.Exec(absl::StrCat(
          "SELECT l.pid, coalesce(a.application_name, ''),"
          " coalesce(pg_catalog.host(a.client_addr), '')"
          " FROM pg_catalog.pg_locks l"
          " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
          " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2"
          " AND l.classid = '",
          static_cast<uint32_t>(key.first), "'::pg_catalog.oid AND l.objid = '",
          static_cast<uint32_t>(key.second),
          "'::pg_catalog.oid AND l.database = (SELECT oid FROM "
          "pg_catalog.pg_database"
          " WHERE datname = pg_catalog.current_database())")));
  if (result.rows() == 0) return std::nullopt;
  StreamLockHolder holder;
  ASSIGN_OR_RETURN(holder.pid, result.Int64(0, 0));
  holder.application_name = std::string(result.Text(0, 1));
  holder.client_address = std::string(result.Text(0, 2));
  return holder;
}

absl::Status AcquireStreamLock(
    PgConnection& connection, StreamLockKey key, absl::Time deadline,
    const Interrupt* interrupt,
    const std::function<void(absl::string_view)>& on_wait) {
  bool told = false;
  while (true) {
    ASSIGN_OR_RETURN(
        const std::string locked,
        connection.QueryValue(absl::StrCat(
            "SELECT pg_catalog.pg_try_advisory_lock(", Arguments(key), ")")));
    if (locked == "t") return absl::OkStatus();

    ASSIGN_OR_RETURN(const std::optional<StreamLockHolder> holder,
                     FindStreamLockHolder(connection, key));
    if (holder.has_value()) {
      if (absl::Now() >= deadline) {
        return WithHint(
            absl::AbortedError(absl::StrCat(
                "another walferry process writes this stream: ",
                holder->ToString(), " of the target holds its lock")),
            absl::StrCat("stop that process; if it is gone and only its "
                         "session is left, SELECT pg_terminate_backend(",
                         holder->pid, ") on the target ends that"));
      }
      if (!told && on_wait) {
        on_wait(absl::StrCat("waiting for the stream's lock, held by ",
                             holder->ToString(), " of the target"));
        told = true;
      }
    }
    RETURN_IF_ERROR(PauseBeforeRetry(interrupt));
  }
}

absl::Status PauseBeforeRetry(const Interrupt* interrupt) {
  if (interrupt != nullptr) return interrupt->Sleep(kPause);
  absl::SleepFor(kPause);
  return absl::OkStatus();
}

}  // namespace walferry
