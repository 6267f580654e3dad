#include "tools/online_proof.h"

#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tools/verify_account.h"

namespace walferry {
namespace {

// `walferry verify --online` tells of all of them.
constexpr int kTablesTold = 5;
// Between two looks whether it is a migration's turn.
constexpr absl::Duration kLook = absl::Milliseconds(20);

std::string DifferingTables(const VerifyReport& report) {
  std::string text;
  int told = 0;
  for (const TableVerdict& table : report.tables) {
    if (table.outcome != TableVerdict::Outcome::kDifferent &&
        table.outcome != TableVerdict::Outcome::kUnknown) {
      continue;
    }
    if (++told > kTablesTold) return absl::StrCat(text, "; and more");
    const std::string found = FoundText(table);
    absl::StrAppend(&text, "; ", ToDisplay(table.table), ": ",
                    found.empty() ? "rows differ" : found);
  }
  return text;
}

}  // namespace

OnlineProof::OnlineProof(const EngineCalls& engine, VerifyMethod method,
                         const MigrateOptions& migrate, int at_once)
    : engine_(engine), turns_(at_once) {
  options_.method = method;
  options_.schema = false;
  options_.jobs = migrate.jobs;
  options_.online = true;
  // Each proof is of the states that it has met, and of nothing before.
  options_.notes = false;
  // That rows differ is known at once; to find them would take a cutover's
  // time.
  options_.max_reported = 0;
  options_.max_snapshot_age = migrate.max_snapshot_age;
}

absl::Status OnlineProof::AwaitTurn(const Control& control) {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (turns_ > 0) {
        --turns_;
        return absl::OkStatus();
      }
    }
    RETURN_IF_ERROR(control.interrupt().Sleep(kLook));
  }
}

void OnlineProof::GiveBackTurn() {
  absl::MutexLock lock(&mutex_);
  ++turns_;
}

absl::StatusOr<ProofFound> OnlineProof::Compare(const Endpoints& endpoints,
                                                Control& control,
                                                EventSink& events) {
  RETURN_IF_ERROR(AwaitTurn(control));
  const absl::Cleanup give_back = [this] { GiveBackTurn(); };
  const absl::Time begun = absl::Now();
  VerifyOptions options = options_;
  options.endpoints = endpoints;
  absl::StatusOr<VerifyReport> report =
      engine_.verify(options, control, events);
  if (!report.ok()) return report.status();
  const VerifyAccount account = {*std::move(report), ""};
  return ProofFound{.state = ComparisonOf(account, absl::Now()).state,
                    .took = absl::Now() - begun,
                    .text = absl::StrCat(VerdictText(account),
                                         DifferingTables(account.report))};
}

std::unique_ptr<OnlineProof> BindOnlineProof(const OptionValues& values,
                                             const EngineCalls& engine,
                                             MigrateOptions& migrate) {
  const std::string& name = values.Text(OptionId::kVerify);
  if (migrate.mode != MigrateMode::kOnline || name == "off") return nullptr;
  const VerifyMethod method = name == VerifyMethodName(VerifyMethod::kCounts)
                                  ? VerifyMethod::kCounts
                                  : VerifyMethod::kChecksum;
  auto proof = std::make_unique<OnlineProof>(
      engine, method, migrate,
      static_cast<int>(values.Integer(OptionId::kVerifyConcurrency)));
  migrate.proof = proof.get();
  return proof;
}

}  // namespace walferry
