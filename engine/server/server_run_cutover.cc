// The cutover of all databases together, as whoever leads it sees it: who asks
// for it, and what is told of it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/name_some.h"
#include "engine/report_json.h"
#include "engine/server/server_run.h"
#include "protocol/status.h"

namespace walferry {

void ServerRun::BeginRound(const std::vector<std::string>& names) {
  round_ = std::make_unique<CutoverRound>(names, options_.migrate.cutover,
                                          options_.migrate.cutover_timeout,
                                          control_);
}

// A session that is lost is opened anew with the next look, and what could not
// be written or read is then.
void ServerRun::WatchRound() {
  const CutoverRound::View view = round_->Look();
  TellRound(view);
  if (const auto given_up = round_->TakeGivenUp()) TellGivenUp(*given_up);
  bool asked = false;
  const absl::Status read = session_->Use([&](PgConnection&, Ledger& ledger) {
    ASSIGN_OR_RETURN(asked, ledger.CutoverRequested());
    return absl::OkStatus();
  });
  // A request that was seen stands until it is seen to be gone.
  if (read.ok()) round_->SetAskedInLedger(asked);
  if (absl::Now() >= next_life_) ShowWhatIsWaitedFor(view);
}

void ServerRun::TellGivenUp(const CutoverRound::GivenUp& given_up) {
  if (control_.stop_requested()) return;
  const absl::string_view again = given_up.withdrawn
                                      ? "stop the writers and ask again"
                                      : "it begins anew by itself";
  Notify(Notice::Level::kWarning,
         absl::StrCat("cutover given up, all databases are followed on: ",
                      given_up.why, "; ", again));
  if (!given_up.withdrawn) return;
  const absl::Status ended =
      Persist(whole_, [&](PgConnection&, Ledger& ledger) {
        return ledger.EndCutoverRequest(given_up.why);
      });
  if (!ended.ok()) {
    Notify(Notice::Level::kWarning, std::string(ended.message()));
  }
}

void ServerRun::TellRound(const CutoverRound::View& view) {
  const bool all = view.remaining > 0 && view.caught_up == view.remaining;
  const Phase phase = view.open               ? Phase::kCutover
                      : all || all_caught_up_ ? Phase::kFollow
                                              : Phase::kCopy;
  if (view.remaining > 0 && phase != phase_) {
    // It is written again with the next change.
    Enter(phase).IgnoreError();
    next_life_ = absl::InfinitePast();  // What is waited for is another thing.
  }
  if (!all || all_caught_up_) return;
  all_caught_up_ = true;
  if (options_.migrate.cutover == CutoverMode::kAuto) return;
  Notify(Notice::Level::kInfo,
         absl::StrCat(CountOf(view.remaining, "database"),
                      view.remaining == 1 ? " has" : " have",
                      " caught up: to cut over, stop the applications and "
                      "press Ctrl+C once, or run `walferry cutover`"));
}

void ServerRun::ShowWhatIsWaitedFor(const CutoverRound::View& view) {
  session_
      ->Use([&](PgConnection&, Ledger& ledger) {
        return ledger.SetHeartbeat({.waiting_for = view.waiting_for});
      })
      .IgnoreError();
}

// What `walferry cutover` waits for.
absl::Status ServerRun::StoreReport() {
  if (!online()) return absl::OkStatus();
  return session_->Use([&](PgConnection&, Ledger& ledger) {
    return ledger.SetReport(ReportToJson(TotalOf(report_)));
  });
}

}  // namespace walferry
