#include "bench/latency/visibility_poll.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<VisibilityPoll> VisibilityPoll::Open(
    const std::string& conninfo) {
  ASSIGN_OR_RETURN(SqlConnection connection, SqlConnection::Open(conninfo));
  RETURN_IF_ERROR(connection.Exec(
      "PREPARE unseen (bigint) AS SELECT id FROM beats WHERE id > $1"));
  return VisibilityPoll(std::move(connection));
}

absl::Status VisibilityPoll::Look() {
  const absl::Time question = absl::Now();
  ASSIGN_OR_RETURN(
      const SqlRows rows,
      connection_.Query(absl::StrCat("EXECUTE unseen (", all_seen_to_, ")")));
  const absl::Time answer = absl::Now();
  bool any_new = false;
  for (const SqlRow& row : rows) {
    int64_t id = 0;
    if (!row[0].has_value() || !absl::SimpleAtoi(*row[0], &id)) {
      return absl::DataLossError("beats: a row without an id");
    }
    any_new |= seen_.emplace(id, answer).second;
  }
  if (any_new) errors_.push_back(answer - last_question_);
  last_question_ = question;
  while (seen_.count(all_seen_to_ + 1) > 0) ++all_seen_to_;
  return absl::OkStatus();
}

}  // namespace walferry
