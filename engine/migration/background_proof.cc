#include "engine/migration/background_proof.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

// Phases and progress of a comparison are not those of the migration.
class ProgressOnly : public EventSink {
 public:
  explicit ProgressOnly(std::function<void(const Progress&)> note)
      : note_(std::move(note)) {}

  void OnEvent(const Event& event) override {
    if (const auto* progress = std::get_if<Progress>(&event)) note_(*progress);
  }

 private:
  const std::function<void(const Progress&)> note_;
};

}  // namespace

BackgroundProof::BackgroundProof(MigrationProof& proof,
                                 const Endpoints& endpoints)
    : thread_([this, &proof, &endpoints] { Run(proof, endpoints); }) {}

BackgroundProof::~BackgroundProof() {
  control_.RequestStop();
  thread_.join();
}

void BackgroundProof::Run(MigrationProof& proof, const Endpoints& endpoints) {
  ProgressOnly events([this](const Progress& progress) {
    absl::MutexLock lock(&mutex_);
    progress_ = progress;
  });
  absl::StatusOr<ProofFound> found = proof.Compare(endpoints, control_, events);
  absl::MutexLock lock(&mutex_);
  ended_ = absl::Now();
  found_ = std::move(found);
}

std::optional<absl::StatusOr<ProofFound>> BackgroundProof::found() const {
  absl::MutexLock lock(&mutex_);
  return found_;
}

std::string BackgroundProof::waiting_for() const {
  absl::MutexLock lock(&mutex_);
  std::string text = "source and target to be compared";
  if (progress_.items_total > 0) {
    absl::StrAppend(&text, ": ", progress_.items_done, " of ",
                    progress_.items_total, " tables");
  }
  return text;
}

absl::Duration BackgroundProof::elapsed() const {
  absl::MutexLock lock(&mutex_);
  return std::min(ended_, absl::Now()) - begun_;
}

}  // namespace walferry
