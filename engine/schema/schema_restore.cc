#include "engine/schema/schema_restore.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/schema/step_queue.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kPreData = "pre-data";
// Entries go to the server in parcels of about this size: a round trip for
// each takes long when the target is far away.
constexpr size_t kParcelBytes = size_t{64} << 10;

class SessionWorker : public StepWorker {
 public:
  explicit SessionWorker(SchemaSession session)
      : session_(std::move(session)) {}

  absl::Status Run(const SchemaStep& step) override {
    return EntryError(
        session_.RunStep(step.id, [&] { return session_.Exec(step.sql); }),
        step.display, step.sql);
  }

 private:
  SchemaSession session_;
};

}  // namespace

SchemaRestore::SchemaRestore(SchemaRestoreOptions options, SchemaDump dump,
                             const Catalog& catalog)
    : options_(std::move(options)),
      preamble_(std::move(dump.script.preamble)),
      plan_(PlanSchema(std::move(dump.script.entries), catalog)) {}

int64_t SchemaRestore::total_steps() const {
  return static_cast<int64_t>(plan_.steps.size()) + 1;
}

absl::StatusOr<SchemaSession> SchemaRestore::OpenSession() const {
  return SchemaSession::Open(options_.target, options_.ledger, preamble_);
}

absl::StatusOr<SchemaSession> SchemaRestore::OpenFirstSession() {
  ASSIGN_OR_RETURN(SchemaSession session, OpenSession());
  ASSIGN_OR_RETURN(const std::vector<std::string> ids, session.StepsDone());
  const absl::flat_hash_set<std::string> all(ids.begin(), ids.end());
  done_.clear();
  if (all.contains(kPreData)) done_.insert(std::string(kPreData));
  for (const SchemaStep& step : plan_.steps) {
    if (all.contains(step.id)) done_.insert(step.id);
  }
  return session;
}

void SchemaRestore::ReportProgress(std::vector<ActiveItem> active) const {
  if (!on_progress) return;
  on_progress({.done = static_cast<int64_t>(done_.size()),
               .total = total_steps(),
               .active = std::move(active)});
}

absl::Status SchemaRestore::RestorePreData() {
  ASSIGN_OR_RETURN(SchemaSession session, OpenFirstSession());
  if (done_.contains(kPreData)) return absl::OkStatus();
  const std::string id(kPreData);
  absl::Status status = session.RunStep(
      id, [&] { return RunPreData(session, /*one_by_one=*/false); });
  if (!status.ok() && !SqlStateOf(status).empty()) {
    // Once more, to learn which entry it is.
    status = session.RunStep(
        id, [&] { return RunPreData(session, /*one_by_one=*/true); });
  }
  RETURN_IF_ERROR(status);
  done_.insert(id);
  ReportProgress({});
  return absl::OkStatus();
}

absl::Status SchemaRestore::RunPreData(SchemaSession& session,
                                       bool one_by_one) {
  const absl::Time started = absl::Now();
  absl::Time told = absl::InfinitePast();
  std::string parcel;
  for (size_t place = 0; place < plan_.pre_data.size(); ++place) {
    const DumpEntry& entry = plan_.pre_data[place];
    const bool last = place + 1 == plan_.pre_data.size();
    const bool alone = IsExtensionComment(entry);
    if (!alone) absl::StrAppend(&parcel, entry.sql, "\n");
    if (alone || last || one_by_one || parcel.size() > kParcelBytes) {
      if (absl::Now() - told >= options_.progress_interval) {
        told = absl::Now();
        ReportProgress({{.name = entry.Display(), .elapsed = told - started}});
      }
      const absl::Status status = session.Exec(parcel);
      RETURN_IF_ERROR(one_by_one ? EntryError(status, entry.Display(), parcel)
                                 : status);
      parcel.clear();
    }
    if (alone) RETURN_IF_ERROR(RunExtensionComment(session, entry));
  }
  return absl::OkStatus();
}

absl::Status SchemaRestore::RunExtensionComment(SchemaSession& session,
                                                const DumpEntry& entry) {
  RETURN_IF_ERROR(session.Exec("SAVEPOINT comment"));
  const absl::Status status = session.Exec(entry.sql);
  if (SqlStateOf(status) != "42501") {
    return EntryError(status, entry.Display(), entry.sql);
  }
  RETURN_IF_ERROR(session.Exec("ROLLBACK TO SAVEPOINT comment"));
  if (on_warning) {
    on_warning(absl::StrCat("the comment was not set: ", entry.name, ": ",
                            status.message()));
  }
  return absl::OkStatus();
}

absl::Status SchemaRestore::Restore(SchemaStage stage) {
  ASSIGN_OR_RETURN(SchemaSession session, OpenFirstSession());
  StepQueue queue(plan_.steps, stage, done_);
  RETURN_IF_ERROR(queue.Check());
  const size_t jobs =
      std::min(static_cast<size_t>(options_.jobs), queue.waiting());
  std::vector<std::unique_ptr<StepWorker>> workers;
  workers.push_back(std::make_unique<SessionWorker>(std::move(session)));
  while (workers.size() < jobs) {
    ASSIGN_OR_RETURN(SchemaSession another, OpenSession());
    workers.push_back(std::make_unique<SessionWorker>(std::move(another)));
  }
  StepPoolOptions pool{.progress_interval = options_.progress_interval};
  const auto done_before = static_cast<int64_t>(done_.size());
  pool.on_progress = [&](SchemaProgress progress) {
    progress.done += done_before;
    progress.total = total_steps();
    if (on_progress) on_progress(progress);
  };
  pool.on_failure = [&](const absl::Status& status) {
    if (!on_warning) return;
    on_warning(
        absl::StrCat(status.message(), "; waiting for the steps that run now"));
  };
  StepPoolResult result =
      RunSteps(plan_.steps, std::move(queue), std::move(workers), pool);
  for (const size_t place : result.finished) {
    done_.insert(plan_.steps[place].id);
  }
  return result.status;
}

}  // namespace walferry
