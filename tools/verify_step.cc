#include "tools/verify_step.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/server/database_comparison.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tools/human_format.h"
#include "tools/verify_account.h"

namespace walferry {
namespace {

using State = ComparisonResult::State;

// `walferry verify` tells of all of them.
constexpr int kTablesTold = 20;

constexpr absl::string_view kNamesRows =
    "walferry verify names the rows; what was written to the source since its "
    "rows were read is not on the target";
constexpr absl::string_view kComparesAgain =
    "; the same command compares again, and with --verify off it lets clients "
    "in as it is";

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
  if (!migrate.scope.carries_rows()) return "no rows are carried";
  if (input) return "the source may have changed since the archive was made";
  return "";
}

VerifyOptions OptionsFor(const MigrateOptions& migrate, VerifyMethod method) {
  VerifyOptions options;
  options.endpoints = migrate.endpoints;
  options.method = method;
  options.schema = false;
  options.scope = migrate.scope;
  options.scope.part = ScopeOptions().part;
  options.share = migrate.scope.delay_table_data.empty()
                      ? VerifyShare::kAll
                      : VerifyShare::kBehindClients;
  options.jobs = migrate.jobs;
  return options;
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

// Which tables the verdict is about: "" or the beginning of a sentence.
std::string ShareText(const VerifyReport& report) {
  switch (report.share) {
    case VerifyShare::kAll:
      return "";
    case VerifyShare::kBeforeClients:
      return "but for delayed tables: ";
    case VerifyShare::kBehindClients:
      break;
  }
  int64_t of_clients = 0;
  for (const TableVerdict& table : report.tables) {
    of_clients += table.of_clients;
  }
  if (of_clients == 0) return "delayed tables: ";
  return absl::StrCat("delayed tables, but for ",
                      HumanCount(of_clients, "row", "rows"),
                      " that clients have added: ");
}

struct Compared {
  ComparisonResult result;
  VerifyShare share = VerifyShare::kAll;  // That it came to.
};

// Tells of it. An error: nobody knows.
absl::StatusOr<Compared> Compare(const VerifyOptions& options,
                                 const EngineCalls& engine, Control& control,
                                 EventSink& events) {
  absl::StatusOr<VerifyReport> report = engine.verify(options, control, events);
  if (!report.ok()) {
    return Annotate(report.status(),
                    options.share == VerifyShare::kBeforeClients
                        ? "all but delayed tables is on the target, but was "
                          "not compared"
                        : "the target is complete, but was not compared");
  }
  const std::string share = ShareText(*report);
  const VerifyAccount account = {*std::move(report), ""};
  const std::string text = absl::StrCat(share, VerdictText(account));
  Compared compared = {.result = ComparisonOf(account, absl::Now()),
                       .share = account.report.share};
  if (compared.result.state == State::kEqual) {
    Tell(events, Notice::Level::kInfo, text);
    return compared;
  }
  compared.result.found = text;
  TellOfDifferences(account.report, events);
  if (compared.result.state == State::kDifferent) return compared;
  return WithHint(absl::FailedPreconditionError(text), kNamesRows);
}

// That delayed tables are equal says nothing of the others.
void AddDoubt(const ComparisonResult& before, EventSink& events,
              ComparisonResult& result) {
  const std::string doubt = DoubtOf(before, result.method);
  if (doubt.empty()) return;
  Tell(events, Notice::Level::kWarning, doubt);
  if (result.state != State::kEqual) {
    result.found = absl::StrCat(doubt, "; ", result.found);
    return;
  }
  result.state =
      before.state == State::kDifferent ? State::kDifferent : State::kUnknown;
  result.found = doubt;
}

// The phases are the migration's own.
class EventsWithoutPhases : public EventSink {
 public:
  explicit EventsWithoutPhases(EventSink& events) : events_(events) {}

  void OnEvent(const Event& event) override {
    if (std::holds_alternative<PhaseStarted>(event)) return;
    if (std::holds_alternative<PhaseFinished>(event)) return;
    events_.OnEvent(event);
  }

 private:
  EventSink& events_;
};

}  // namespace

absl::StatusOr<VerifyStep> VerifyStep::Bind(const OptionValues& values,
                                            const MigrateOptions& migrate,
                                            bool input) {
  VerifyStep step;
  step.options_.endpoints = migrate.endpoints;
  step.options_.method = VerifyMethod::kOff;
  if (migrate.mode == MigrateMode::kOnline) return step;
  const VerifyMethod method = MethodOf(values);
  const std::string why_not = WhyNot(migrate, input);
  if (method == VerifyMethod::kOff || !why_not.empty()) {
    const OptionValues::Entry& entry = values.entry(OptionId::kVerify);
    if (method != VerifyMethod::kOff && entry.origin == OriginKind::kFlag) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat(
                          entry.where, " compares nothing here: ", why_not)),
                      "leave it out, or use --verify off");
    }
    // Where rows are carried somebody might take them for compared.
    if (method != VerifyMethod::kOff && migrate.scope.carries_rows()) {
      step.why_not_ = why_not;
    }
    return step;
  }
  step.options_ = OptionsFor(migrate, method);
  return step;
}

absl::Status VerifyStep::BeforeClients(const EngineCalls& engine,
                                       Control& control, EventSink& events) {
  if (options_.method == VerifyMethod::kOff) {
    // Rows may have been copied anew since an earlier run found them equal.
    if (BeforeClientsCame(engine, control).state != State::kDifferent) {
      Note(engine, {.before_clients = true}, control, events);
    }
    return absl::OkStatus();
  }
  VerifyOptions options = options_;
  options.share = VerifyShare::kBeforeClients;
  EventsWithoutPhases without(events);
  ASSIGN_OR_RETURN(const Compared compared,
                   Compare(options, engine, control, without));
  before_ = compared.result;
  Note(engine, {.result = *before_, .before_clients = true}, control, events);
  if (before_->state == State::kEqual) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          before_->found, "; clients were not told that they may work on it")),
      absl::StrCat(kNamesRows, kComparesAgain));
}

void VerifyStep::Note(const EngineCalls& engine, const ComparisonNote& note,
                      Control& control, EventSink& events) const {
  const absl::Status noted =
      engine.note_comparison(options_.endpoints, note, control);
  if (noted.ok()) return;
  Tell(events, Notice::Level::kWarning,
       absl::StrCat("`walferry status` does not know of this comparison: ",
                    noted.message()));
}

ComparisonResult VerifyStep::BeforeClientsCame(const EngineCalls& engine,
                                               Control& control) const {
  if (before_.has_value()) return *before_;
  const absl::StatusOr<MigrationStatus> status =
      engine.status({.target = options_.endpoints.target,
                     .name = options_.endpoints.name,
                     .ledger_schema = options_.endpoints.ledger_schema},
                    control);
  if (status.ok()) return status->compared_before_clients;
  return {.state = State::kUnknown};
}

absl::Status VerifyStep::Run(const EngineCalls& engine, Control& control,
                             EventSink& events, Report& report) {
  ComparisonResult& result = report.comparison;
  // Whoever moves through an archive, or one session, has no ledger.
  const auto note = [&] {
    if (report.begun == absl::InfinitePast()) return;
    Note(engine, {.result = result, .begun = report.begun}, control, events);
  };
  if (options_.method == VerifyMethod::kOff) {
    if (!why_not_.empty()) {
      Tell(events, Notice::Level::kInfo,
           absl::StrCat("source and target were not compared: ", why_not_));
    }
    if (result.state == State::kComparing) {
      // An earlier run has begun what this one does not end.
      result = {};
      note();
    }
    return absl::OkStatus();
  }
  const absl::Time started = absl::Now();
  result = {
      .state = State::kComparing, .method = options_.method, .at = started};
  note();
  const absl::StatusOr<Compared> compared =
      Compare(options_, engine, control, events);
  report.elapsed += absl::Now() - started;
  // The next run goes on with it.
  if (absl::IsCancelled(compared.status())) return compared.status();
  if (compared.ok()) {
    result = compared->result;
    if (compared->share == VerifyShare::kBehindClients) {
      AddDoubt(BeforeClientsCame(engine, control), events, result);
    }
  } else {
    result.state = State::kUnknown;
    result.found = std::string(compared.status().message());
  }
  note();
  if (result.state == State::kDifferent) {
    shortfall_ =
        WithHint(absl::FailedPreconditionError(result.found), kNamesRows);
  }
  return compared.status();
}

absl::Status BindServerVerify(const OptionValues& values,
                              const EngineCalls& engine,
                              ServerMigrateOptions& options) {
  if (options.migrate.mode == MigrateMode::kOnline) return absl::OkStatus();
  options.verify = MethodOf(values);
  if (options.verify == VerifyMethod::kOff) return absl::OkStatus();
  options.compare = [&engine, method = options.verify](
                        const MigrateOptions& migrate, VerifyShare share,
                        Control& control,
                        EventSink& events) -> absl::StatusOr<std::string> {
    VerifyOptions verify = OptionsFor(migrate, method);
    verify.share = share;
    EventsWithoutPhases without(events);
    ASSIGN_OR_RETURN(
        const Compared compared,
        Compare(verify, engine, control,
                share == VerifyShare::kBeforeClients ? without : events));
    const ComparisonResult& result = compared.result;
    if (result.state == State::kEqual) return std::string();
    Tell(events, Notice::Level::kWarning, result.found);
    return result.found;
  };
  return absl::OkStatus();
}

}  // namespace walferry
