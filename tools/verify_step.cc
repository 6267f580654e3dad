#include "tools/verify_step.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tools/verify_account.h"

namespace walferry {
namespace {

// `walferry verify` tells of all of them.
constexpr int kTablesTold = 20;

VerifyMethod MethodOf(const OptionValues& values) {
  const std::string& name = values.Text(OptionId::kVerify);
  if (name.empty()) return VerifyMethod::kCounts;
  for (const VerifyMethod method :
       {VerifyMethod::kCounts, VerifyMethod::kChecksum}) {
    if (VerifyMethodName(method) == name) return method;
  }
  return VerifyMethod::kOff;
}

// "": it can be compared.
std::string WhyNot(const MigrateOptions& migrate, bool input) {
  if (migrate.mode == MigrateMode::kOnline) {
    return "an online migration is compared by walferry verify, when writes "
           "have stopped";
  }
  if (!migrate.scope.carries_rows()) return "no rows are carried";
  if (input) return "the source may have changed since the archive was made";
  if (!migrate.scope.delay_table_data.empty()) {
    return "clients may write to the target before the delayed rows are there";
  }
  return "";
}

void Tell(EventSink& events, Notice::Level level, std::string text) {
  events.OnEvent(Notice{.level = level, .text = std::move(text)});
}

void TellOfDifferences(const VerifyReport& report, EventSink& events) {
  int told = 0;
  int left_out = 0;
  for (const TableVerdict& table : report.tables) {
    if (table.outcome == TableVerdict::Outcome::kEqual) continue;
    if (told == kTablesTold) {
      ++left_out;
      continue;
    }
    ++told;
    const std::string found = FoundText(table);
    Tell(events, Notice::Level::kWarning,
         absl::StrCat(ToDisplay(table.table), ": ",
                      found.empty() ? table.detail : found));
  }
  if (left_out == 0) return;
  Tell(events, Notice::Level::kWarning,
       absl::StrCat("and ", left_out, " tables more"));
}

}  // namespace

absl::StatusOr<VerifyStep> VerifyStep::Bind(const OptionValues& values,
                                            const MigrateOptions& migrate,
                                            bool input) {
  VerifyStep step;
  const VerifyMethod method = MethodOf(values);
  const std::string why_not = WhyNot(migrate, input);
  if (method == VerifyMethod::kOff || !why_not.empty()) {
    const OptionValues::Entry& entry = values.entry(OptionId::kVerify);
    if (method != VerifyMethod::kOff && entry.origin == OriginKind::kFlag) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat(
                          entry.where, " compares nothing here: ", why_not)),
                      "leave it out, or use --verify off");
    }
    step.options_.method = VerifyMethod::kOff;
    // Where rows are carried somebody might take them for compared.
    if (method != VerifyMethod::kOff && migrate.scope.carries_rows() &&
        migrate.mode == MigrateMode::kOffline) {
      step.why_not_ = why_not;
    }
    return step;
  }
  step.options_.endpoints = migrate.endpoints;
  step.options_.method = method;
  step.options_.schema = false;
  step.options_.scope = migrate.scope;
  step.options_.scope.part = ScopeOptions().part;
  step.options_.jobs = migrate.jobs;
  return step;
}

absl::Status VerifyStep::Run(const EngineCalls& engine, Control& control,
                             EventSink& events) {
  if (options_.method == VerifyMethod::kOff) {
    if (!why_not_.empty()) {
      Tell(events, Notice::Level::kInfo,
           absl::StrCat("source and target were not compared: ", why_not_));
    }
    return absl::OkStatus();
  }
  absl::StatusOr<VerifyReport> report =
      engine.verify(options_, control, events);
  if (!report.ok()) {
    return Annotate(report.status(),
                    "the target is complete, but was not compared");
  }
  const VerifyAccount account = {*std::move(report), ""};
  const Verdict verdict = VerdictOf(account);
  if (verdict == Verdict::kEqual) {
    Tell(events, Notice::Level::kInfo, VerdictText(account));
    return absl::OkStatus();
  }
  TellOfDifferences(account.report, events);
  absl::Status found = WithHint(
      absl::FailedPreconditionError(VerdictText(account)),
      "walferry verify names the rows; what was written to the source since "
      "its rows were read is not on the target");
  if (verdict == Verdict::kUnknown) return found;
  shortfall_ = std::move(found);
  return absl::OkStatus();
}

}  // namespace walferry
