#ifndef TESTS_CLUSTER_ARCHIVE_FIXTURE_H_
#define TESTS_CLUSTER_ARCHIVE_FIXTURE_H_

// A source with a bit of everything, a target, and a folder for archives. For
// tests/cluster/archive*_test.cc and drill_test.cc.

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/archive/archives.h"
#include "engine/archive/manifest.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {

class ArchiveTest : public AppTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    if (!HasFatalFailure()) LoadApp();
  }

  void LoadApp() {
    ASSERT_OK(OnSource(
        "CREATE TABLE orders (id serial PRIMARY KEY, note text NOT NULL);"
        "INSERT INTO orders (note) SELECT 'order ' || i || E'\\n\\t\\\\' "
        "FROM generate_series(1, 3000) i;"
        "CREATE INDEX orders_note ON orders (note);"
        "CREATE TABLE \"odd \"\"Name\" (k int GENERATED ALWAYS AS IDENTITY "
        "PRIMARY KEY, \"order\" int REFERENCES orders);"
        "INSERT INTO \"odd \"\"Name\" (\"order\") SELECT i FROM "
        "generate_series(1, 10) i;"
        "ALTER TABLE orders ADD CONSTRAINT late CHECK (id > 5) NOT VALID;"
        "CREATE TABLE parts (i int, t text) PARTITION BY RANGE (i);"
        "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (50);"
        "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (50) TO (99);"
        "INSERT INTO parts SELECT i, 'x' FROM generate_series(0, 90) i;"
        "CREATE TABLE empty ();"
        "INSERT INTO empty DEFAULT VALUES;"
        "CREATE TYPE mood AS ENUM ('sad', 'ok');"
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE VIEW few AS SELECT * FROM orders WHERE id < one();"
        "CREATE MATERIALIZED VIEW total AS SELECT count(*) FROM orders;"
        "SELECT lo_from_bytea(4711, 'large')"));
  }

  DumpOptions Dump(ArchiveFormat format = ArchiveFormat::kDirectory) const {
    DumpOptions options;
    options.source = source_->ConnInfo("app");
    options.format = format;
    options.output = Path(absl::StrCat(FormatName(format)));
    options.disk_share = 0;
    return options;
  }
  RestoreOptions Restore(const std::string& input) const {
    RestoreOptions options;
    options.input = input;
    options.target = target_->ConnInfo("app");
    options.disk_share = 0;
    return options;
  }
  DrillOptions Drill(const std::string& input) const {
    DrillOptions options;
    options.input = input;
    options.target = target_->ConnInfo();
    options.archive_folder = directory_->path();
    options.disk_share = 0;
    return options;
  }

  absl::StatusOr<DumpReport> Run(const DumpOptions& options) {
    return RunDump(options, control_, events_);
  }
  absl::StatusOr<RestoreReport> Run(const RestoreOptions& options) {
    return RunRestore(options, control_, events_);
  }
  absl::StatusOr<DrillReport> Run(const DrillOptions& options) {
    return RunDrill(options, control_, events_);
  }

  std::string Path(const std::string& name) const {
    return absl::StrCat(directory_->path(), "/", name);
  }

  // What lies beside each other in the folder for archives.
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry :
         std::filesystem::directory_iterator(directory_->path())) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  // Changes one byte in the middle of the file.
  static void FlipAByte(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto middle =
        static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
    file.seekg(middle);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(middle);
    file.put(byte);
  }

  // Changes an archive's file where `from` stands once, and its manifest too.
  static void Rewrite(const std::string& folder, const std::string& file,
                      const std::string& from, const std::string& to) {
    const std::string path = absl::StrCat(folder, "/", file);
    std::string text = ReadFile(path);
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_EQ(text.find(from, at + 1), std::string::npos) << from;
    std::ofstream(path, std::ios::binary) << text.replace(at, from.size(), to);
    ASSERT_OK_AND_ASSIGN(const std::vector<ManifestEntry> entries,
                         DigestFolder(folder, {}));
    std::ofstream(absl::StrCat(folder, "/", kManifestName), std::ios::binary)
        << FormatManifest(entries);
  }

  std::optional<TempDir> directory_;
  Control control_;
  EventRecorder events_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_ARCHIVE_FIXTURE_H_
