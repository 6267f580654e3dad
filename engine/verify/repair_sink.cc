#include "engine/verify/repair_sink.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kBytesAtOnce = size_t{1} << 20;
constexpr size_t kMostNotedBytes = size_t{64} << 20;

}  // namespace

absl::Status RunningSink::Take(std::string sql) {
  absl::StrAppend(&batch_, sql, ";\n");
  if (batch_.size() < kBytesAtOnce) return absl::OkStatus();
  return Flush();
}

absl::Status RunningSink::Flush() {
  if (batch_.empty()) return absl::OkStatus();
  const std::string batch = std::exchange(batch_, "");
  return Annotate(target_.Exec(batch).status(), "target");
}

absl::Status NotingSink::Take(std::string sql) {
  bytes_ += sql.size();
  if (bytes_ > kMostNotedBytes) {
    report_.statements_left_out = true;
  } else {
    report_.statements.push_back(std::move(sql));
  }
  return absl::OkStatus();
}

}  // namespace walferry
