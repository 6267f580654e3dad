#include "engine/stream/meeting_request.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

MeetingRequests::MeetingRequests(PgConnection& target, LedgerKey key)
    : target_(target),
      key_(std::move(key)),
      table_(absl::StrCat(QuoteIdentifier(key_.schema), ".meeting")) {}

std::string MeetingRequests::Of(const std::string& id) const {
  return absl::StrCat(" WHERE migration = ", QuoteLiteral(key_.migration),
                      " AND id = ", QuoteLiteral(id));
}

absl::Status MeetingRequests::Ask(const std::string& id, bool holds_appliers) {
  return target_
      .Exec(absl::StrCat("INSERT INTO ", table_,
                         " (migration, id, holds_appliers) VALUES (",
                         QuoteLiteral(key_.migration), ", ", QuoteLiteral(id),
                         ", ", holds_appliers ? "true" : "false", ")"))
      .status();
}

absl::Status MeetingRequests::Renew(const std::string& id) {
  return target_
      .Exec(absl::StrCat("UPDATE ", table_,
                         " SET renewed_at = clock_timestamp()", Of(id)))
      .status();
}

absl::Status MeetingRequests::Withdraw(const std::string& id) {
  return target_.Exec(absl::StrCat("DELETE FROM ", table_, Of(id))).status();
}

absl::StatusOr<std::vector<MeetingRequest>> MeetingRequests::Read(
    const std::string& where) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      target_.Exec(absl::StrCat(
          "SELECT id, state, holds_appliers, renewed_at < clock_timestamp() - "
          "interval '",
          absl::ToInt64Seconds(kAskersPatience),
          "s', waiting_for, failure, source_snapshot, target_snapshot, "
          "position, pause_seconds FROM ",
          table_, where, " ORDER BY asked_at")));
  std::vector<MeetingRequest> requests;
  for (int row = 0; row < rows.rows(); ++row) {
    MeetingRequest request{.id = std::string(rows.Text(row, 0)),
                           .holds_appliers = rows.Bool(row, 2),
                           .silent = rows.Bool(row, 3),
                           .waiting_for = std::string(rows.Text(row, 4)),
                           .failure = std::string(rows.Text(row, 5))};
    const absl::string_view state = rows.Text(row, 1);
    if (state == "met") request.state = MeetingRequest::State::kMet;
    if (state == "failed") request.state = MeetingRequest::State::kFailed;
    request.met.source_snapshot = std::string(rows.Text(row, 6));
    request.met.target_snapshot = std::string(rows.Text(row, 7));
    ASSIGN_OR_RETURN(request.met.position, rows.LsnAt(row, 8));
    double pause = 0;
    if (!absl::SimpleAtod(rows.Text(row, 9), &pause)) {
      return absl::InternalError("ledger: pause_seconds is not a number");
    }
    request.met.pause = absl::Seconds(pause);
    requests.push_back(std::move(request));
  }
  return requests;
}

absl::StatusOr<std::vector<MeetingRequest>> MeetingRequests::All() {
  return Read(
      absl::StrCat(" WHERE migration = ", QuoteLiteral(key_.migration)));
}

absl::StatusOr<std::optional<MeetingRequest>> MeetingRequests::Find(
    const std::string& id) {
  ASSIGN_OR_RETURN(std::vector<MeetingRequest> found, Read(Of(id)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

absl::Status MeetingRequests::SetWaiting(const std::string& id,
                                         absl::string_view what) {
  return target_
      .Exec(absl::StrCat("UPDATE ", table_,
                         " SET waiting_for = ", QuoteLiteral(what), Of(id)))
      .status();
}

absl::Status MeetingRequests::SetMet(const std::string& id,
                                     const MetStates& met) {
  return target_
      .Exec(absl::Substitute(
          "UPDATE $0 SET state = 'met', source_snapshot = $1, target_snapshot "
          "= $2, position = $3, pause_seconds = $4$5",
          table_, QuoteLiteral(met.source_snapshot),
          QuoteLiteral(met.target_snapshot),
          QuoteLiteral(met.position.ToString()),
          absl::ToDoubleSeconds(met.pause), Of(id)))
      .status();
}

absl::Status MeetingRequests::SetFailed(const std::string& id,
                                        absl::string_view why) {
  return target_
      .Exec(absl::StrCat("UPDATE ", table_, " SET state = 'failed', failure = ",
                         QuoteLiteral(why), Of(id)))
      .status();
}

}  // namespace walferry
