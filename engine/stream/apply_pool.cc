#include "engine/stream/apply_pool.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How often one who waits for his turn looks whether he is in the way.
constexpr absl::Duration kLookAround = absl::Milliseconds(100);

}  // namespace

ApplyPool::ApplyPool(std::vector<std::unique_ptr<AheadApplier>> appliers,
                     Context context)
    : appliers_(std::move(appliers)), context_(std::move(context)) {}

ApplyPool::~ApplyPool() {
  context_.queue.Close();
  Close();
  Join();
}

void ApplyPool::Start() {
  for (const std::unique_ptr<AheadApplier>& applier : appliers_) {
    threads_.emplace_back([this, raw = applier.get()] { Work(*raw); });
  }
}

void ApplyPool::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ApplyPool::Work(AheadApplier& applier) {
  while (TakeAndApply(applier)) {
  }
}

bool ApplyPool::TakeAndApply(AheadApplier& applier) {
  absl::ReleasableMutexLock taking(&taking_);
  while (true) {
    const std::optional<Taken> taken = Take(applier);
    if (!taken) return false;
    if (!taken->open()) {
      taking.Release();
      return Apply(applier, *taken);
    }
    if (!Apply(applier, *taken)) return false;
  }
}

std::optional<ApplyPool::Taken> ApplyPool::Take(AheadApplier& applier) {
  std::optional<QueueItem> item = context_.queue.Pop();
  if (!item) return std::nullopt;
  Taken taken{.item = *std::move(item), .number = order_.Draw()};
  if (taken.item.batch != nullptr && appliers_.size() > 1) {
    applier.Enter(*taken.item.batch);
  }
  if (taken.item.barrier != nullptr) ++barriers_;
  return taken;
}

bool ApplyPool::Apply(AheadApplier& applier, const Taken& taken) {
  if (!AwaitTurn(applier, taken)) {
    applier.GiveUp();
    return false;
  }
  committing_pid_ = applier.session_pid();
  const absl::Status status = ApplyItem(applier, taken.item);
  committing_pid_ = 0;
  if (!status.ok()) {
    context_.on_end(status, applier.conflict());
    return false;
  }
  context_.queue.Finished();
  if (context_.until && context_.state.applied() >= *context_.until) {
    context_.on_end(absl::OkStatus(), std::nullopt);
    return false;
  }
  order_.Pass();
  return true;
}

bool ApplyPool::AwaitTurn(AheadApplier& applier, const Taken& taken) {
  CommitOrder::Turn turn = order_.Await(taken.number, absl::InfinitePast());
  if (turn == CommitOrder::Turn::kNotYet && taken.item.batch != nullptr &&
      barriers_ == 0) {
    applier.ApplyAhead(*taken.item.batch);
  }
  while (turn == CommitOrder::Turn::kNotYet) {
    turn = order_.Await(taken.number, absl::Now() + kLookAround);
    const int pid = committing_pid_;
    if (turn == CommitOrder::Turn::kNotYet && pid != 0) applier.GiveWay(pid);
  }
  return turn == CommitOrder::Turn::kMine;
}

absl::Status ApplyPool::ApplyItem(AheadApplier& applier,
                                  const QueueItem& item) {
  StreamState& state = context_.state;
  if (item.barrier != nullptr) {
    item.barrier->Stand(state.applied());
    --barriers_;
    return absl::OkStatus();
  }
  if (item.batch == nullptr) {
    if (item.advance <= state.applied()) return absl::OkStatus();
    RETURN_IF_ERROR(applier.Advance(item.advance));
    state.SetApplied(item.advance);
    return absl::OkStatus();
  }
  const Lsn end = item.batch->end_lsn();
  if (end.valid() && end <= state.applied()) {
    return absl::InternalError(absl::StrCat(
        "a batch ends at ", end.ToString(), ", not beyond ",
        state.applied().ToString(), " where the target is already"));
  }
  ASSIGN_OR_RETURN(const ApplyCounts counts, applier.Apply(*item.batch));
  uncommitted_ = Sum(uncommitted_, counts);
  if (item.batch->open()) return absl::OkStatus();
  state.Add(std::exchange(uncommitted_, {}));
  state.SetApplied(end);
  return absl::OkStatus();
}

}  // namespace walferry
