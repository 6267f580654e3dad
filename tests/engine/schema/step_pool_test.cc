#include "engine/schema/step_pool.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

SchemaStep Step(const std::string& name, std::vector<size_t> after = {},
                std::vector<uint32_t> relations = {}, bool exclusive = true) {
  return {.id = name,
          .display = name,
          .after = std::move(after),
          .relations = std::move(relations),
          .exclusive = exclusive};
}

std::vector<SchemaStep> Ranked(std::vector<SchemaStep> steps) {
  for (size_t place = 0; place < steps.size(); ++place) {
    steps[place].rank = place;
  }
  return steps;
}

constexpr SchemaStage kStage = SchemaStage::kIndexes;

TEST(StepQueue, GivesTheSmallestRankThatCanRun) {
  std::vector<SchemaStep> steps = {Step("a"), Step("b"), Step("c", {1})};
  steps[0].rank = 2;
  steps[1].rank = 1;
  steps[2].rank = 0;
  StepQueue queue(steps, kStage, {});
  EXPECT_EQ(queue.Take(), 1u);
  EXPECT_EQ(queue.Take(), 0u);
  EXPECT_EQ(queue.Take(), std::nullopt);
  EXPECT_EQ(queue.waiting(), 1u);
  queue.Finish(1);
  EXPECT_EQ(queue.Take(), 2u);
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(StepQueue, SharesARelationOnlyAmongThoseThatShare) {
  const std::vector<SchemaStep> steps =
      Ranked({Step("i1", {}, {7}, false), Step("alone", {}, {7}),
              Step("i2", {}, {7}, false), Step("other", {}, {8})});
  StepQueue queue(steps, kStage, {});
  EXPECT_EQ(queue.Take(), 0u);
  EXPECT_EQ(queue.Take(), 2u);
  EXPECT_EQ(queue.Take(), 3u);
  EXPECT_EQ(queue.Take(), std::nullopt);
  queue.Finish(0);
  EXPECT_EQ(queue.Take(), std::nullopt);
  queue.Finish(2);
  EXPECT_EQ(queue.Take(), 1u);
}

TEST(StepQueue, LeavesOutWhatIsDoneAndOtherStages) {
  std::vector<SchemaStep> steps =
      Ranked({Step("a"), Step("b", {0}), Step("c")});
  steps[2].stage = SchemaStage::kTriggers;
  StepQueue queue(steps, kStage, {"a"});
  EXPECT_EQ(queue.Take(), 1u);
  EXPECT_EQ(queue.Take(), std::nullopt);
}

TEST(StepQueue, ChecksThatEarlierStagesAreDone) {
  std::vector<SchemaStep> steps = Ranked({Step("a"), Step("b", {0})});
  steps[1].stage = SchemaStage::kForeignKeys;
  EXPECT_THAT(StepQueue(steps, SchemaStage::kForeignKeys, {}).Check(),
              StatusIs(absl::StatusCode::kInternal, "b: a is not done yet"));
  EXPECT_OK(StepQueue(steps, SchemaStage::kForeignKeys, {"a"}).Check());
}

// What happens in a pool whose workers wait for one another by name.
class Script {
 public:
  void Say(const std::string& what) {
    const absl::MutexLock lock(&mutex_);
    said_.push_back(what);
  }
  void WaitFor(const std::string& what) {
    const absl::MutexLock lock(&mutex_);
    const auto heard = [&] {
      return std::find(said_.begin(), said_.end(), what) != said_.end();
    };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&heard), kTestPatience))
        << what;
  }
  std::vector<std::string> said() {
    const absl::MutexLock lock(&mutex_);
    return said_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> said_;
};

class FakeWorker : public StepWorker {
 public:
  using Work = std::function<absl::Status(const std::string& name)>;
  explicit FakeWorker(Work work) : work_(std::move(work)) {}
  absl::Status Run(const SchemaStep& step) override {
    return work_(step.display);
  }

 private:
  Work work_;
};

std::vector<std::unique_ptr<StepWorker>> Workers(int count,
                                                 const FakeWorker::Work& work) {
  std::vector<std::unique_ptr<StepWorker>> workers;
  for (int worker = 0; worker < count; ++worker) {
    workers.push_back(std::make_unique<FakeWorker>(work));
  }
  return workers;
}

TEST(RunSteps, RunsThemAllInTheOrderOfTheirNeeds) {
  const std::vector<SchemaStep> steps =
      Ranked({Step("a", {2}), Step("b"), Step("c", {1})});
  Script script;
  std::vector<std::string> told;
  const StepPoolResult result = RunSteps(
      steps, StepQueue(steps, kStage, {}),
      Workers(3,
              [&](const std::string& name) {
                script.Say(name);
                return absl::OkStatus();
              }),
      {.on_progress = [&](const SchemaProgress& progress) {
        told.push_back(absl::StrCat(progress.done, "/", progress.total));
      }});
  EXPECT_OK(result.status);
  EXPECT_THAT(script.said(), ElementsAre("b", "c", "a"));
  EXPECT_THAT(result.finished, ElementsAre(1, 2, 0));
  EXPECT_EQ(told.back(), "3/3");
}

TEST(RunSteps, RunsAsManyAtOnceAsThereAreWorkers) {
  const std::vector<SchemaStep> steps = Ranked({Step("a"), Step("b")});
  Script script;
  std::vector<std::string> active;
  const StepPoolResult result =
      RunSteps(steps, StepQueue(steps, kStage, {}),
               Workers(2,
                       [&](const std::string& name) {
                         if (name == "a") script.WaitFor("b runs beside a");
                         return absl::OkStatus();
                       }),
               {.on_progress = [&](const SchemaProgress& progress) {
                 for (const ActiveItem& item : progress.active) {
                   if (item.name == "a") script.Say("b runs beside a");
                 }
               }});
  EXPECT_OK(result.status);
  EXPECT_THAT(result.finished, UnorderedElementsAre(0, 1));
}

TEST(RunSteps, WaitsForWhatRunsWhenAStepFailsAndBeginsNothingNew) {
  const std::vector<SchemaStep> steps =
      Ranked({Step("bad"), Step("slow"), Step("never")});
  Script script;
  std::vector<std::string> failures;
  const StepPoolResult result =
      RunSteps(steps, StepQueue(steps, kStage, {}),
               Workers(2,
                       [&](const std::string& name) -> absl::Status {
                         script.Say(name);
                         if (name == "slow") {
                           script.WaitFor("the failure was told");
                           return absl::OkStatus();
                         }
                         script.WaitFor("slow");
                         return absl::AbortedError("bad failed");
                       }),
               {.on_failure = [&](const absl::Status& status) {
                 failures.emplace_back(status.message());
                 script.Say("the failure was told");
               }});
  EXPECT_THAT(result.status,
              StatusIs(absl::StatusCode::kAborted, "bad failed"));
  EXPECT_THAT(result.finished, ElementsAre(1));
  EXPECT_THAT(failures, ElementsAre("bad failed"));
  EXPECT_THAT(script.said(),
              UnorderedElementsAre("bad", "slow", "the failure was told"));
}

TEST(RunSteps, DoesNotHangWhenStepsNeedOneAnother) {
  const std::vector<SchemaStep> steps =
      Ranked({Step("a", {1}), Step("b", {0})});
  const StepPoolResult result = RunSteps(
      steps, StepQueue(steps, kStage, {}),
      Workers(2, [](const std::string&) { return absl::OkStatus(); }), {});
  EXPECT_THAT(result.status, StatusIs(absl::StatusCode::kInternal,
                                      "steps of a stage wait for one another"));
}

}  // namespace
}  // namespace walferry
