#include "engine/server/create_database.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kStepPrefix = "create database ";
constexpr absl::string_view kDuplicateDatabase = "42P04";
// In its stead if the other one was made at the same moment.
constexpr absl::string_view kUniqueViolation = "23505";

absl::Status SetAll(PgConnection& target, const DatabasePlan& plan) {
  for (const GlobalStatement& statement : plan.properties) {
    const absl::Status set = target.Exec(statement.sql).status();
    if (!set.ok()) {
      return Annotate(set, absl::StrCat("target: ", statement.subject));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::flat_hash_set<std::string>> DatabasesBegun(
    Ledger& ledger) {
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger.StepsDone());
  absl::flat_hash_set<std::string> begun;
  for (absl::string_view step : steps) {
    if (absl::ConsumePrefix(&step, kStepPrefix)) begun.emplace(step);
  }
  return begun;
}

absl::Status CreateDatabase(PgConnection& target, Ledger& ledger,
                            const DatabasePlan& plan) {
  if (plan.create.empty()) return absl::OkStatus();
  const std::string step = absl::StrCat(kStepPrefix, plan.name);
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger.StepsDone());
  const bool noted = absl::c_linear_search(steps, step);
  if (!noted) {
    RETURN_IF_ERROR(target.Exec(ledger.sql().StepDone(step)).status());
  }
  absl::Status created = target.Exec(plan.create).status();
  const absl::string_view state = SqlStateOf(created);
  if (state == kDuplicateDatabase || state == kUniqueViolation) {
    // Made by the call whose answer was lost.
    if (noted) return absl::OkStatus();
    RETURN_IF_ERROR(target.Exec(ledger.sql().ForgetStep(step)).status());
    created = absl::AlreadyExistsError(created.message());
  }
  return Annotate(created, absl::StrCat("target: database ", plan.name));
}

absl::Status SetDatabaseProperties(PgConnection& target,
                                   const DatabasePlan& plan) {
  if (plan.properties.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(target.Exec("BEGIN").status());
  const absl::Status set = SetAll(target, plan);
  if (set.ok()) return target.Exec("COMMIT").status();
  if (!target.broken()) {
    RETURN_IF_ERROR(target.Exec("ROLLBACK").status());
  }
  return set;
}

}  // namespace walferry
