#include "protocol/pg_pipeline.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// When this much is queued it is handed to the kernel, all of it, before more
// is queued. libpq does the same by itself at twice the size, but goes on when
// the kernel takes only a part.
constexpr size_t kSendBytes = 32 * 1024;
// After so many, results are asked for.
constexpr size_t kRequestBytes = size_t{1} << 20;

// Type byte and length of the messages of a statement, and their fixed fields.
constexpr size_t kStatementBytes = 48;

}  // namespace

PgPipeline::PgPipeline(PgConnection& connection, size_t limit_bytes)
    : connection_(connection), limit_bytes_(limit_bytes) {}

absl::Status PgPipeline::Enter() {
  if (connection_.broken()) {
    return absl::UnavailableError("the connection is gone");
  }
  if (PQenterPipelineMode(connection_.raw()) != 1) {
    return absl::InternalError(
        absl::StrCat("pipeline: ", PQerrorMessage(connection_.raw())));
  }
  failed_index_ = -1;
  failure_ = absl::OkStatus();
  unflushed_bytes_ = unrequested_bytes_ = 0;
  unsynced_ = false;
  return absl::OkStatus();
}

absl::Status PgPipeline::Exit() {
  if (count_ > 0 || PQexitPipelineMode(connection_.raw()) != 1) {
    return absl::InternalError(
        absl::StrCat("pipeline: left with ", count_, " statements in flight"));
  }
  return absl::OkStatus();
}

absl::Status PgPipeline::CheckUsable() const {
  if (!failure_.ok()) return failure_;
  if (connection_.broken()) {
    return absl::UnavailableError("the connection is gone");
  }
  return absl::OkStatus();
}

absl::Status PgPipeline::Prepare(const std::string& name,
                                 const std::string& sql,
                                 absl::Span<const uint32_t> types) {
  RETURN_IF_ERROR(CheckUsable());
  if (PQsendPrepare(connection_.raw(), name.c_str(), sql.c_str(),
                    static_cast<int>(types.size()), types.data()) != 1) {
    return NotSent();
  }
  return Queued(kStatementBytes + sql.size(), nullptr);
}

absl::Status PgPipeline::SendPrepared(const std::string& name,
                                      absl::Span<const PgParam> params,
                                      OnResult on_result) {
  RETURN_IF_ERROR(CheckUsable());
  RETURN_IF_ERROR(SetParams(params));
  if (PQsendQueryPrepared(connection_.raw(), name.c_str(),
                          static_cast<int>(params.size()), values_.data(),
                          lengths_.data(), formats_.data(),
                          /*resultFormat=*/0) != 1) {
    return NotSent();
  }
  return Queued(kStatementBytes + param_bytes_, std::move(on_result));
}

absl::Status PgPipeline::Send(const std::string& sql,
                              absl::Span<const PgParam> params,
                              OnResult on_result) {
  RETURN_IF_ERROR(CheckUsable());
  RETURN_IF_ERROR(SetParams(params));
  if (PQsendQueryParams(connection_.raw(), sql.c_str(),
                        static_cast<int>(params.size()), /*paramTypes=*/nullptr,
                        values_.data(), lengths_.data(), formats_.data(),
                        /*resultFormat=*/0) != 1) {
    return NotSent();
  }
  return Queued(kStatementBytes + sql.size() + param_bytes_,
                std::move(on_result));
}

absl::Status PgPipeline::SetParams(absl::Span<const PgParam> params) {
  values_.clear();
  lengths_.clear();
  formats_.clear();
  param_bytes_ = 0;
  for (const PgParam& param : params) {
    // libpq would cut the value there, and nobody would notice.
    if (!param.binary && param.data != nullptr &&
        memchr(param.data, 0, static_cast<size_t>(param.size)) != nullptr) {
      return absl::DataLossError(absl::StrCat("parameter $", values_.size() + 1,
                                              ": text with a NUL byte"));
    }
    values_.push_back(param.data);
    lengths_.push_back(param.size);
    formats_.push_back(param.binary ? 1 : 0);
    param_bytes_ += static_cast<size_t>(param.size) + sizeof(int32_t);
  }
  return absl::OkStatus();
}

absl::Status PgPipeline::Queued(size_t bytes, OnResult on_result) {
  Push({.bytes = bytes, .on_result = std::move(on_result), .is_sync = false});
  ++sent_;
  unsynced_ = true;
  unflushed_bytes_ += bytes;
  unrequested_bytes_ += bytes;
  // The server keeps results to itself until its buffer is full or someone
  // asks. At least in half-limit steps, so that it never runs dry while we
  // wait.
  if (unrequested_bytes_ > std::min(limit_bytes_ / 2, kRequestBytes)) {
    if (PQsendFlushRequest(connection_.raw()) != 1) {
      return NotSent();
    }
    unrequested_bytes_ = 0;
  }
  if (unflushed_bytes_ >= kSendBytes) RETURN_IF_ERROR(SendBacklog());
  if (in_flight_bytes_ > limit_bytes_) {
    RETURN_IF_ERROR(AwaitInFlight(limit_bytes_ / 2, /*entries=*/SIZE_MAX));
  }
  return failure_;
}

void PgPipeline::Push(InFlight entry) {
  in_flight_bytes_ += entry.bytes;
  if (count_ == ring_.size()) {
    std::rotate(ring_.begin(), ring_.begin() + static_cast<ptrdiff_t>(first_),
                ring_.end());
    first_ = 0;
    ring_.resize(std::max<size_t>(64, 2 * ring_.size()));
  }
  ring_[(first_ + count_) % ring_.size()] = std::move(entry);
  ++count_;
}

void PgPipeline::PopFront() {
  InFlight& front = Front();
  in_flight_bytes_ -= front.bytes;
  front.on_result = nullptr;
  first_ = (first_ + 1) % ring_.size();
  --count_;
  front_answered_ = false;
}

absl::Status PgPipeline::Sync() {
  RETURN_IF_ERROR(CheckUsable());
  if (PQpipelineSync(connection_.raw()) != 1) {
    return NotSent();
  }
  Push({.bytes = 0, .on_result = nullptr, .is_sync = true});
  unsynced_ = false;
  unrequested_bytes_ = 0;
  RETURN_IF_ERROR(AwaitInFlight(/*bytes=*/SIZE_MAX, /*entries=*/0));
  return failure_;
}

absl::Status PgPipeline::Recover() {
  if (connection_.broken()) {
    return failure_.ok() ? absl::UnavailableError("the connection is gone")
                         : failure_;
  }
  if (unsynced_) {
    if (PQpipelineSync(connection_.raw()) != 1) {
      return NotSent();
    }
    Push({.bytes = 0, .on_result = nullptr, .is_sync = true});
    unsynced_ = false;
    unrequested_bytes_ = 0;
  }
  RETURN_IF_ERROR(AwaitInFlight(/*bytes=*/SIZE_MAX, /*entries=*/0));
  failure_ = absl::OkStatus();
  failed_index_ = -1;
  return absl::OkStatus();
}

// Reads while it waits for room: the server may be blocked by results that
// nobody takes.
absl::Status PgPipeline::SendBacklog() {
  PGconn* conn = connection_.raw();
  const absl::Duration timeout = connection_.statement_timeout();
  while (true) {
    // Also sends what it can.
    if (PQconsumeInput(conn) != 1) return Lost(absl::OkStatus());
    RETURN_IF_ERROR(TakeAvailable());
    const int left = PQflush(conn);
    if (left < 0) return Lost(absl::OkStatus());
    if (left == 0) break;
    const absl::Status waited =
        connection_.WaitReadableOrWritable(DeadlineAfter(timeout));
    if (!waited.ok()) return Lost(GiveUp(connection_, waited));
  }
  unflushed_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status PgPipeline::AwaitInFlight(size_t bytes, size_t entries) {
  PGconn* conn = connection_.raw();
  RETURN_IF_ERROR(SendBacklog());
  int64_t received = received_;
  absl::Time deadline = DeadlineAfter(connection_.statement_timeout());
  while (true) {
    RETURN_IF_ERROR(TakeAvailable());
    if (in_flight_bytes_ <= bytes && count_ <= entries) return absl::OkStatus();
    if (received_ != received) {
      received = received_;
      deadline = DeadlineAfter(connection_.statement_timeout());
    }
    const absl::Status waited = connection_.WaitReadable(deadline);
    if (!waited.ok()) return Lost(GiveUp(connection_, waited));
    if (PQconsumeInput(conn) != 1) return Lost(absl::OkStatus());
  }
}

absl::Status PgPipeline::TakeAvailable() {
  PGconn* conn = connection_.raw();
  while (count_ > 0 && !PQisBusy(conn)) {
    const PgResult result(PQgetResult(conn));
    RETURN_IF_ERROR(TakeOne(result));
    if (connection_.broken()) return Lost(absl::OkStatus());
  }
  return absl::OkStatus();
}

// A null result divides statements; a sync stands alone.
absl::Status PgPipeline::TakeOne(const PgResult& result) {
  InFlight& front = Front();
  const bool is_null = result.get() == nullptr;
  const ExecStatusType status = PQresultStatus(result.get());
  const bool is_sync = !is_null && status == PGRES_PIPELINE_SYNC;
  if (front.is_sync != is_sync || (is_null && !front_answered_)) {
    return Lost(absl::DataLossError(
        "pipeline: the server's answers do not fit what was sent"));
  }
  if (is_null || is_sync) {
    if (!is_sync) ++received_;
    PopFront();
    return absl::OkStatus();
  }
  front_answered_ = true;
  switch (status) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_EMPTY_QUERY:
      if (failure_.ok() && front.on_result) Fail(front.on_result(result));
      break;
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
      break;
    case PGRES_BAD_RESPONSE:
    case PGRES_NONFATAL_ERROR:
    case PGRES_FATAL_ERROR:
      Fail(FailureOf(connection_, result));
      break;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      return Lost(absl::InternalError("pipeline: a COPY cannot be in it"));
  }
  return absl::OkStatus();
}

// Only the first failure counts: the others follow from it.
void PgPipeline::Fail(absl::Status failure) {
  if (failure.ok() || !failure_.ok()) return;
  failure_ = std::move(failure);
  failed_index_ = received_;
}

absl::Status PgPipeline::NotSent() {
  if (connection_.broken()) return Lost(absl::OkStatus());
  return SendFailure(connection_);
}

// Nothing that is in flight will be answered any more.
absl::Status PgPipeline::Lost(absl::Status failure) {
  connection_.MarkBroken();
  // What the server said before it went says more than the broken link.
  const bool dead = PQstatus(connection_.raw()) == CONNECTION_BAD;
  while (dead && failure.ok() && failure_.ok() && count_ > 0) {
    const PgResult result(PQgetResult(connection_.raw()));
    if (result.get() == nullptr && !front_answered_) break;
    RETURN_IF_ERROR(TakeOne(result));
  }
  Fail(failure.ok() ? ConnectionFailure(connection_) : std::move(failure));
  while (count_ > 0) PopFront();
  return failure_;
}

}  // namespace walferry
