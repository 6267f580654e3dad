// The cutover of all databases together, as whoever leads it sees it: who asks
// for it, and what is told of it.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/name_some.h"
#include "engine/report_json.h"
#include "engine/server/server_run.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string DescribeGivenUp(const CutoverRound::GivenUp& given_up) {
  switch (given_up.then) {
    case CutoverRound::Then::kByItself:
      return absl::StrCat("cutover given up, all databases are followed on: ",
                          given_up.why, "; it begins anew by itself");
    case CutoverRound::Then::kWhenAsked:
      return absl::StrCat("cutover given up, all databases are followed on: ",
                          given_up.why, "; stop the writers and ask again");
    case CutoverRound::Then::kWhenMended:
      return absl::StrCat("no cutover, the other databases are followed on: ",
                          given_up.why);
  }
  return given_up.why;
}

}  // namespace

void ServerRun::BeginRound(const std::vector<std::string>& names) {
  round_ = std::make_unique<CutoverRound>(
      names, options_.migrate.cutover, options_.migrate.cutover_timeout, asked_,
      [this](const std::string& database, const LedgerObject& freeze) {
        return NoteFreeze(database, freeze);
      });
  relay_.AskBeforeStop([this] { return round_->MayStop(); });
}

// Its database's own ledger may be dropped with the target's database.
absl::Status ServerRun::NoteFreeze(const std::string& database,
                                   const LedgerObject& freeze) {
  return session_->Use([&](PgConnection&, Ledger& ledger) {
    return ledger.AddObject(FreezeNoteOf(database, freeze.detail));
  });
}

// A session that is lost is opened anew with the next look, and what could not
// be written or read is then.
void ServerRun::WatchRound() {
  TellIfStopIsPutOff();
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
  Notify(Notice::Level::kWarning, DescribeGivenUp(given_up));
  if (given_up.then == CutoverRound::Then::kByItself) return;
  const absl::Status ended =
      Persist(whole_, [&](PgConnection&, Ledger& ledger) {
        return ledger.EndCutoverRequest(given_up.why);
      });
  if (!ended.ok()) {
    Notify(Notice::Level::kWarning, std::string(ended.message()));
  }
}

void ServerRun::TellIfStopIsPutOff() {
  if (!relay_.stop_is_put_off() || std::exchange(told_put_off_, true)) return;
  Notify(Notice::Level::kWarning,
         "all databases have agreed to cut over: the run stops when each has "
         "come to its end, so that none is left behind");
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
  if (!view.failed.empty()) TellFailed(view);
  if (!all || all_caught_up_) return;
  all_caught_up_ = true;
  if (options_.migrate.cutover == CutoverMode::kAuto) return;
  Notify(Notice::Level::kInfo,
         absl::StrCat(CountOf(view.remaining, "database"),
                      view.remaining == 1 ? " has" : " have",
                      " caught up: to cut over, stop the applications and "
                      "press Ctrl+C once, or run `walferry cutover`"));
}

// Nobody need wait for the others to see that there will be no cutover.
void ServerRun::TellFailed(const CutoverRound::View& view) {
  if (options_.migrate.cutover == CutoverMode::kAuto ||
      control_.stop_requested() ||
      std::exchange(told_failed_, view.failed) == view.failed) {
    return;
  }
  Notify(Notice::Level::kWarning,
         absl::StrCat("there will be no cutover without ", view.failed,
                      "; the others are copied and followed on: stop with "
                      "Ctrl+C twice, mend what is named and run the same "
                      "command again"));
}

void ServerRun::ShowWhatIsWaitedFor(const CutoverRound::View& view) {
  session_
      ->Use([&](PgConnection&, Ledger& ledger) {
        return ledger.SetHeartbeat({.waiting_for = view.waiting_for});
      })
      .IgnoreError();
}

// What `walferry cutover` waits for. A run that found all done has nothing to
// say that an earlier one has not said better.
absl::Status ServerRun::StoreReport() {
  if (!online()) return absl::OkStatus();
  return Persist(whole_, [&](PgConnection&, Ledger& ledger) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<LedgerMigration> known, ledger.Read());
    const bool cut_over = report_.pause != absl::InfiniteDuration();
    if (!cut_over && known && known->report) return absl::OkStatus();
    return ledger.SetReport(ReportToJson(TotalOf(report_)));
  });
}

}  // namespace walferry
