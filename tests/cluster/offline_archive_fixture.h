#ifndef TESTS_CLUSTER_OFFLINE_ARCHIVE_FIXTURE_H_
#define TESTS_CLUSTER_OFFLINE_ARCHIVE_FIXTURE_H_

// RunArchiveMigration, in a folder of its own. For
// tests/cluster/offline_archive*_test.cc.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/archive/archive_migration.h"
#include "engine/archive/archives.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {

class OfflineArchiveTest : public OfflineTest {
 protected:
  void SetUp() override {
    OfflineTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    ASSERT_OK(OnSource(
        "CREATE MATERIALIZED VIEW totals AS SELECT account, sum(amount) FROM "
        "orders GROUP BY 1; SELECT lo_from_bytea(7002, '\\x0001ff5c22')"));
  }

  ArchiveMigrationOptions Through() const {
    ArchiveMigrationOptions options{.migrate = Options()};
    options.archive_folder = directory_->path();
    options.disk_share = 0;
    return options;
  }

  absl::StatusOr<ArchiveMigrationReport> Move(
      const ArchiveMigrationOptions& options) {
    Control control;
    events_.emplace();
    return RunArchiveMigration(options, control, *events_);
  }

  // A folder with an archive of the source.
  template <typename Change>
  std::string Dumped(const std::string& name, Change change) {
    Control control;
    EventRecorder events;
    DumpOptions dump;
    dump.source = source_->ConnInfo("app");
    dump.output = absl::StrCat(directory_->path(), "/", name);
    dump.disk_share = 0;
    change(dump);
    EXPECT_OK(RunDump(dump, control, events));
    return dump.output;
  }

  std::vector<std::string> Archives() const {
    std::vector<std::string> paths;
    for (const auto& entry :
         std::filesystem::directory_iterator(directory_->path())) {
      paths.push_back(entry.path());
    }
    return paths;
  }

  // Acts once the dump is done, when the restore comes to that phase.
  absl::StatusOr<ArchiveMigrationReport> MoveAnd(
      const ArchiveMigrationOptions& options, Phase phase,
      const std::function<void()>& act) {
    bool dumped = false;
    Control control;
    EventHook events([&](const Event& event) {
      const auto* const notice = std::get_if<Notice>(&event);
      if (notice != nullptr && notice->text.starts_with("dumped to ")) {
        dumped = true;
      }
      const auto* const started = std::get_if<PhaseStarted>(&event);
      if (dumped && started != nullptr && started->phase == phase) act();
    });
    return RunArchiveMigration(options, control, events);
  }
  absl::StatusOr<ArchiveMigrationReport> MoveAnd(
      const ArchiveMigrationOptions& options, Phase phase,
      const std::string& sql_on_target) {
    return MoveAnd(options, phase, std::function<void()>([&] {
                     EXPECT_OK(OnTarget(sql_on_target));
                   }));
  }

  std::optional<TempDir> directory_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_OFFLINE_ARCHIVE_FIXTURE_H_
