// migrate --mode offline as a command: what it asks for, asks a person, and
// ends with.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/migration_proof.h"
#include "protocol/status.h"
#include "tests/tools/program_fixture.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

VerifyReport OneTable(TableVerdict::Outcome outcome, int64_t target_rows) {
  return {.source = "old:5432/shop",
          .target = "new:5433/shop",
          .method = VerifyMethod::kCounts,
          .tables = {{.table = {"public", "orders"},
                      .outcome = outcome,
                      .detail = outcome == TableVerdict::Outcome::kUnknown
                                    ? "its rows may not be read"
                                    : "",
                      .source_rows = 7,
                      .target_rows = target_rows}}};
}

using State = ComparisonResult::State;

const absl::Time kBegun = absl::FromUnixSeconds(1767225540);

auto IsNoted(State state, const std::string& found) {
  return AllOf(Field("state", &ComparisonResult::state, state),
               Field("found", &ComparisonResult::found, HasSubstr(found)));
}

class MigrateCommandTest : public ProgramTest {
 protected:
  void SetUp() override {
    engine_.migrate = [&](const MigrateOptions& options, Control&, EventSink&) {
      streamed_ = options;
      return absl::StatusOr<Report>(
          Report{.name = "walferry", .begun = kBegun});
    };
    engine_.migrate_by_archive = [&](const ArchiveMigrationOptions& options,
                                     Control&, EventSink&) {
      archived_ = options;
      return absl::StatusOr<ArchiveMigrationReport>(done_);
    };
    engine_.verify = [&](const VerifyOptions& options, Control&, EventSink&) {
      compared_ = options;
      absl::StatusOr<VerifyReport> report = compared_with_;
      if (report.ok() && !nothing_is_delayed_) report->share = options.share;
      return report;
    };
    engine_.note_comparison = [&](const Endpoints& endpoints,
                                  const ComparisonNote& note, Control&) {
      EXPECT_EQ(endpoints.source, kProgramSource);
      if (note.before_clients) {
        noted_before_.push_back(note.result);
      } else {
        EXPECT_EQ(note.begun, kBegun);
        noted_.push_back(note.result);
      }
      return note_status_;
    };
    engine_.status = [&](const StatusOptions& options, Control&) {
      EXPECT_EQ(options.target, environment_["WALFERRY_TARGET"]);
      return absl::StatusOr<MigrationStatus>(status_);
    };
    environment_["WALFERRY_TARGET"] = "host=new port=5433 dbname=shop";
  }

  ExitCode Offline(std::vector<std::string> more) {
    streamed_.reset();
    archived_.reset();
    compared_.reset();
    noted_.clear();
    noted_before_.clear();
    std::vector<std::string> arguments = {"migrate", "--mode", "offline"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(std::move(arguments));
  }

  std::optional<MigrateOptions> streamed_;
  std::optional<ArchiveMigrationOptions> archived_;
  std::optional<VerifyOptions> compared_;
  absl::StatusOr<VerifyReport> compared_with_ =
      OneTable(TableVerdict::Outcome::kEqual, 7);
  std::vector<ComparisonResult> noted_, noted_before_;
  MigrationStatus status_;           // For who goes on.
  bool nothing_is_delayed_ = false;  // Whatever was asked for.
  absl::Status note_status_;
  ArchiveMigrationReport done_{
      .report = {.name = "walferry",
                 .offline = true,
                 .remarks = {"the archive is kept: a"}},
      .errors = {}};
};

TEST_F(MigrateCommandTest, StreamsByItself) {
  EXPECT_EQ(Offline({}), ExitCode::kDone);
  EXPECT_TRUE(streamed_.has_value());
  EXPECT_FALSE(streamed_->drop_target_first);
  EXPECT_FALSE(archived_.has_value());
}

TEST_F(MigrateCommandTest, ComparesBothSidesWhenItIsDone) {
  EXPECT_EQ(Offline({"--jobs", "3", "--exclude-table", "t"}), ExitCode::kDone);
  ASSERT_TRUE(compared_.has_value());
  EXPECT_EQ(compared_->method, VerifyMethod::kCounts);
  EXPECT_EQ(compared_->endpoints.source, kProgramSource);
  EXPECT_EQ(compared_->jobs, 3);
  EXPECT_FALSE(compared_->schema);
  EXPECT_THAT(compared_->scope.exclude_tables, ElementsAre("t"));
  EXPECT_THAT(err(), HasSubstr("the tables of old:5432/shop and new:5433/shop "
                               "have as many rows; what is in them was not "
                               "compared; their schemas were not compared\n"));
  // Whoever asks meanwhile finds out that it goes on.
  EXPECT_THAT(noted_, ElementsAre(IsNoted(State::kComparing, ""),
                                  IsNoted(State::kEqual, "")));
  EXPECT_EQ(Offline({"--verify", "checksum"}), ExitCode::kDone);
  EXPECT_EQ(compared_->method, VerifyMethod::kChecksum);
  EXPECT_EQ(Offline({"--via", "archive"}), ExitCode::kDone);
  // It has no ledger.
  EXPECT_THAT(noted_, ElementsAre());
  EXPECT_THAT(out(), HasSubstr("\n  compared           equal: the number of "
                               "rows of each table, "));
  EXPECT_TRUE(compared_.has_value());
}

TEST_F(MigrateCommandTest, EndsWithTheTablesThatDiffer) {
  compared_with_ = OneTable(TableVerdict::Outcome::kDifferent, 6);
  EXPECT_EQ(Offline({}), ExitCode::kDifferences);
  EXPECT_THAT(err(), HasSubstr("public.orders: 7 rows on the source, 6 on the "
                               "target\n"));
  EXPECT_THAT(
      err(),
      EndsWith("walferry: error: new:5433/shop is not as old:5432/shop: at "
               "least 1 row in 1 of 1 table\nwalferry: hint: walferry verify "
               "names the rows; what "
               "was written to the source since its rows were read is not on "
               "the target\n"));
  EXPECT_THAT(noted_,
              ElementsAre(IsNoted(State::kComparing, ""),
                          IsNoted(State::kDifferent,
                                  "new:5433/shop is not as old:5432/shop: at "
                                  "least 1 row in 1 of 1 table")));
  // Of the archive's errors nobody would hear otherwise.
  done_.errors = {{.shape = "no such thing", .count = 2, .first = {}}};
  EXPECT_EQ(Offline({"--via", "archive", "--allow-restore-errors"}),
            ExitCode::kDifferences);
  EXPECT_THAT(err(), HasSubstr("the restore went on after 2 errors"));
}

TEST_F(MigrateCommandTest, FailsWhereNobodyKnowsWhetherTheyAreEqual) {
  compared_with_ = OneTable(TableVerdict::Outcome::kUnknown, -1);
  EXPECT_EQ(Offline({}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("public.orders: its rows may not be read\n"));
  compared_with_ = absl::PermissionDeniedError("target: no");
  EXPECT_EQ(Offline({}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the target is complete, but was not compared: "
                               "target: no\n"));
  EXPECT_THAT(noted_, ElementsAre(IsNoted(State::kComparing, ""),
                                  IsNoted(State::kUnknown, "target: no")));
  compared_with_ = absl::CancelledError("stopped");
  EXPECT_EQ(Offline({}), ExitCode::kResumable);
  // The next run goes on.
  EXPECT_THAT(noted_, ElementsAre(IsNoted(State::kComparing, "")));
}

TEST_F(MigrateCommandTest, TellsWhereAComparisonCouldNotBeNoted) {
  note_status_ = absl::UnavailableError("target: gone");
  EXPECT_EQ(Offline({}), ExitCode::kDone);
  EXPECT_THAT(err(), HasSubstr("warning `walferry status` does not know of "
                               "this comparison: target: gone\n"));
}

TEST_F(MigrateCommandTest, ComparesNothingWhereNothingCanBeEqual) {
  const struct {
    std::vector<std::string> flags;
    std::string why;  // "": nothing is said by itself.
  } kCases[] = {
      {{"--schema-only"}, ""},
      {{"--verify", "off"}, ""},
      {{"--via", "archive", "--input", "a"},
       "the source may have changed since the archive was made"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Offline(test.flags), ExitCode::kDone) << err();
    EXPECT_FALSE(compared_.has_value()) << test.flags[0];
    if (test.why.empty()) {
      EXPECT_THAT(err(), Not(HasSubstr("compared")));
    } else {
      EXPECT_THAT(
          err(), HasSubstr(absl::StrCat(
                     "source and target were not compared: ", test.why, "\n")));
    }
  }
  EXPECT_EQ(Offline({"--schema-only", "--verify", "counts"}), ExitCode::kUsage);
  EXPECT_THAT(
      err(), HasSubstr("--verify compares nothing here: no rows are "
                       "carried\nwalferry: hint: leave it out, or use --verify "
                       "off\n"));
}

TEST_F(MigrateCommandTest, LendsAnOnlineMigrationTheComparison) {
  bool lent = false;
  engine_.migrate = [&](const MigrateOptions& options, Control& control,
                        EventSink& events) -> absl::StatusOr<Report> {
    lent = options.proof != nullptr;
    if (lent) {
      RETURN_IF_ERROR(
          options.proof->Compare(options.endpoints, control, events).status());
    }
    return Report{.name = "walferry", .begun = kBegun};
  };
  EXPECT_EQ(Run({"migrate", "--mode", "online"}), ExitCode::kDone) << err();
  EXPECT_TRUE(lent);
  ASSERT_TRUE(compared_.has_value());
  EXPECT_EQ(compared_->method, VerifyMethod::kChecksum);
  EXPECT_TRUE(compared_->online);
  EXPECT_EQ(Run({"migrate", "--mode", "online", "--verify", "counts"}),
            ExitCode::kDone)
      << err();
  EXPECT_EQ(compared_->method, VerifyMethod::kCounts);
  compared_.reset();
  EXPECT_EQ(Run({"migrate", "--mode", "online", "--verify", "off"}),
            ExitCode::kDone)
      << err();
  EXPECT_FALSE(lent);
  EXPECT_EQ(Offline({}), ExitCode::kDone) << err();
  EXPECT_FALSE(lent);
}

TEST_F(MigrateCommandTest, ComparesDelayedTablesBehindClients) {
  std::vector<VerifyShare> shares;
  engine_.verify = [&](const VerifyOptions& options, Control&, EventSink&) {
    shares.push_back(options.share);
    absl::StatusOr<VerifyReport> report = compared_with_;
    if (report.ok()) report->share = options.share;
    return report;
  };
  absl::Status before;
  engine_.migrate_delaying =
      [&](const MigrateOptions&,
          const std::function<absl::Status()>& before_usable, Control&,
          EventSink&) -> absl::StatusOr<Report> {
    before = before_usable();
    if (!before.ok()) return before;
    return Report{.name = "walferry", .begun = kBegun};
  };
  EXPECT_EQ(Offline({"--delay-table-data", "t"}), ExitCode::kDone) << err();
  EXPECT_THAT(shares, ElementsAre(VerifyShare::kBeforeClients,
                                  VerifyShare::kBehindClients));
  const std::string equal =
      "the tables of old:5432/shop and new:5433/shop have as many rows";
  EXPECT_THAT(err(), HasSubstr("info    but for delayed tables: " + equal));
  EXPECT_THAT(err(), HasSubstr("info    delayed tables: " + equal));
  EXPECT_THAT(err(), Not(HasSubstr("warning")));
  EXPECT_THAT(noted_before_, ElementsAre(IsNoted(State::kEqual, "")));

  compared_with_->tables[0].of_clients = 3;
  EXPECT_EQ(Offline({"--delay-table-data", "t"}), ExitCode::kDone);
  EXPECT_THAT(err(), HasSubstr("info    delayed tables, but for 3 rows that "
                               "clients have added: " +
                               equal));

  EXPECT_THAT(noted_, ElementsAre(IsNoted(State::kComparing, ""),
                                  IsNoted(State::kEqual, "")));

  shares.clear();
  compared_with_ = OneTable(TableVerdict::Outcome::kDifferent, 6);
  EXPECT_EQ(Offline({"--delay-table-data", "t"}), ExitCode::kFailed);
  EXPECT_THAT(shares, ElementsAre(VerifyShare::kBeforeClients));
  EXPECT_EQ(before.message(),
            "but for delayed tables: new:5433/shop is not as old:5432/shop: at "
            "least 1 row in 1 of 1 table; clients were not told that they may "
            "work on it");
  EXPECT_EQ(HintOf(before),
            "walferry verify names the rows; what was written to the source "
            "since its rows were read is not on the target; the same command "
            "compares again, and with --verify off it lets clients in as it "
            "is");
  EXPECT_THAT(noted_before_,
              ElementsAre(IsNoted(State::kDifferent, "but for delayed")));
  EXPECT_THAT(noted_, ElementsAre());
  compared_with_ = absl::UnavailableError("source: gone");
  EXPECT_EQ(Offline({"--delay-table-data", "t"}), ExitCode::kResumable);
  EXPECT_EQ(before.message(),
            "all but delayed tables is on the target, but was not compared: "
            "source: gone");
  shares.clear();
  EXPECT_EQ(Offline({"--delay-table-data", "t", "--verify", "off"}),
            ExitCode::kDone);
  EXPECT_THAT(shares, testing::IsEmpty());
}

// Clients work on it since an earlier run.
TEST_F(MigrateCommandTest, GoesByWhatWasFoundBeforeClientsCame) {
  engine_.migrate_delaying = [](const MigrateOptions&,
                                const std::function<absl::Status()>&, Control&,
                                EventSink&) -> absl::StatusOr<Report> {
    return Report{.name = "walferry", .begun = kBegun};
  };
  const std::vector<std::string> flags = {"--delay-table-data", "t"};
  EXPECT_EQ(Offline(flags), ExitCode::kDone);
  EXPECT_EQ(compared_->share, VerifyShare::kBehindClients);
  const std::string doubt =
      "but for its delayed tables it was not compared before clients came";
  EXPECT_THAT(err(), HasSubstr("warning " + doubt + "\n"));
  EXPECT_THAT(noted_, ElementsAre(IsNoted(State::kComparing, ""),
                                  IsNoted(State::kUnknown, doubt)));

  nothing_is_delayed_ = true;
  EXPECT_EQ(Offline(flags), ExitCode::kDone);
  EXPECT_THAT(err(), Not(HasSubstr("warning")));
  EXPECT_THAT(noted_.back(), IsNoted(State::kEqual, ""));
  nothing_is_delayed_ = false;

  status_.compared_before_clients = {.state = State::kEqual,
                                     .method = VerifyMethod::kCounts};
  EXPECT_EQ(Offline(flags), ExitCode::kDone);
  EXPECT_THAT(err(), Not(HasSubstr("warning")));
  EXPECT_THAT(noted_.back(), IsNoted(State::kEqual, ""));
  compared_with_->method = VerifyMethod::kChecksum;
  EXPECT_EQ(Offline({"--delay-table-data", "t", "--verify", "checksum"}),
            ExitCode::kDone);
  compared_with_->method = VerifyMethod::kCounts;
  EXPECT_THAT(noted_.back(), IsNoted(State::kUnknown,
                                     "it was not compared by checksum before"));

  status_.compared_before_clients = {.state = State::kDifferent,
                                     .method = VerifyMethod::kCounts,
                                     .found = "b is not as a"};
  EXPECT_EQ(Offline(flags), ExitCode::kDifferences);
  EXPECT_THAT(noted_.back(),
              IsNoted(State::kDifferent,
                      "b is not as a; clients were let in as it was"));
}

// Rows may have been copied anew since.
TEST_F(MigrateCommandTest, DoesNotBelieveWhatWasFoundBeforeAnotherCopy) {
  engine_.migrate_delaying =
      [](const MigrateOptions&,
         const std::function<absl::Status()>& before_usable, Control&,
         EventSink&) -> absl::StatusOr<Report> {
    const absl::Status before = before_usable();
    if (!before.ok()) return before;
    return Report{.name = "walferry", .begun = kBegun};
  };
  const std::vector<std::string> off = {"--delay-table-data", "t", "--verify",
                                        "off"};
  status_.compared_before_clients = {.state = State::kEqual,
                                     .method = VerifyMethod::kCounts};
  EXPECT_EQ(Offline(off), ExitCode::kDone);
  EXPECT_THAT(noted_before_, ElementsAre(IsNoted(State::kNone, "")));
  // A difference is not mended by that.
  status_.compared_before_clients.state = State::kDifferent;
  EXPECT_EQ(Offline(off), ExitCode::kDone);
  EXPECT_THAT(noted_before_, ElementsAre());
}

TEST_F(MigrateCommandTest, ForgetsAComparisonThatNobodyEnds) {
  engine_.migrate = [&](const MigrateOptions&, Control&, EventSink&) {
    return absl::StatusOr<Report>(
        Report{.name = "walferry",
               .offline = true,
               .begun = kBegun,
               .comparison = {.state = State::kComparing,
                              .method = VerifyMethod::kCounts}});
  };
  EXPECT_EQ(Offline({"--verify", "off"}), ExitCode::kDone);
  EXPECT_THAT(noted_, ElementsAre(IsNoted(State::kNone, "")));
  EXPECT_THAT(out(), HasSubstr("\n  compared           no\n"));
}

TEST_F(MigrateCommandTest, HandsEveryOptionOfAnArchiveToTheEngine) {
  EXPECT_EQ(Offline({"--via",
                     "archive",
                     "--format",
                     "custom",
                     "--compress",
                     "zstd:3",
                     "--archive-dir",
                     "d",
                     "--disk-share",
                     "7",
                     "--allow-restore-errors",
                     "--jobs",
                     "3",
                     "--index-jobs",
                     "5",
                     "--no-owner",
                     "--no-acl",
                     "--no-analyze",
                     "--exclude-schema",
                     "s",
                     "--exclude-table",
                     "t",
                     "--exclude-table-data",
                     "u",
                     "--drop-target-first",
                     "--yes"}),
            ExitCode::kDone);
  EXPECT_FALSE(streamed_.has_value());
  ASSERT_TRUE(archived_.has_value());
  EXPECT_EQ(archived_->format, ArchiveFormat::kCustom);
  EXPECT_EQ(archived_->compression, "zstd:3");
  EXPECT_EQ(archived_->archive_folder, "d");
  EXPECT_EQ(archived_->disk_share, 7);
  EXPECT_TRUE(archived_->allow_errors);
  EXPECT_EQ(archived_->input, "");
  const MigrateOptions& migrate = archived_->migrate;
  EXPECT_EQ(migrate.mode, MigrateMode::kOffline);
  EXPECT_EQ(migrate.jobs, 3);
  EXPECT_EQ(migrate.index_jobs, 5);
  EXPECT_TRUE(migrate.no_owner);
  EXPECT_TRUE(migrate.no_acl);
  EXPECT_FALSE(migrate.analyze);
  EXPECT_TRUE(migrate.drop_target_first);
  EXPECT_THAT(migrate.scope.exclude_schemas, ElementsAre("s"));
  EXPECT_THAT(migrate.scope.exclude_tables, ElementsAre("t"));
  EXPECT_THAT(migrate.scope.exclude_table_data, ElementsAre("u"));
  EXPECT_THAT(out(), EndsWith("  remark             the archive is kept: a\n"));
  EXPECT_EQ(Offline({"--via", "archive", "--input", "a"}), ExitCode::kDone);
  EXPECT_EQ(archived_->input, "a");
  EXPECT_EQ(archived_->format, ArchiveFormat::kDirectory);
  EXPECT_EQ(archived_->disk_share, 50);
}

TEST_F(MigrateCommandTest, RefusesWhatDoesNotGoTogether) {
  const struct {
    std::vector<std::string> flags;
    std::string error;
  } kCases[] = {
      {{"--format", "custom"}, "--format goes with --via archive only"},
      {{"--archive-dir", "d"}, "--archive-dir goes with --via archive only"},
      {{"--allow-restore-errors"},
       "--allow-restore-errors goes with --via archive only"},
      {{"--input", "a"}, "--input goes with --via archive only"},
      {{"--via", "archive", "--table", "t"},
       "--schema and --table go with --via stream only"},
      {{"--via", "archive", "--data-only"},
       "--data-only goes with --via stream only"},
      {{"--via", "archive", "--delay-table-data", "t"},
       "--delay-table-data goes with --via stream only"},
      {{"--via", "archive", "--split-size", "1GiB"},
       "--split-size goes with --via stream only"},
      {{"--via", "archive", "--input", "a", "--exclude-table", "t"},
       "--input and exclusions exclude each other"},
      {{"--via", "archive", "--format", "plain", "--allow-restore-errors"},
       "--format plain and --allow-restore-errors exclude each other"},
      {{"--via", "archive", "--compress", "bzip2"},
       "--compress: \"bzip2\" is no way to compress"},
      {{"--drop-target-first", "--data-only"},
       "--drop-target-first and --data-only exclude each other"},
  };
  for (const auto& [flags, error] : kCases) {
    EXPECT_EQ(Offline(flags), ExitCode::kUsage);
    EXPECT_THAT(err(), HasSubstr(absl::StrCat("error: ", error, "\n")));
    EXPECT_THAT(err(), HasSubstr("hint: "));
    EXPECT_FALSE(streamed_.has_value());
    EXPECT_FALSE(archived_.has_value());
  }
  EXPECT_EQ(Run({"migrate", "--via", "archive"}), ExitCode::kUsage);
  EXPECT_THAT(err(), HasSubstr("--via archive goes with --mode offline only"));
  EXPECT_EQ(Run({"migrate", "--drop-target-first", "--yes"}), ExitCode::kUsage);
  EXPECT_THAT(err(),
              HasSubstr("--drop-target-first goes with --mode offline only"));
  // What is looked at is what would be done.
  EXPECT_EQ(Run({"check", "--via", "archive"}), ExitCode::kUsage);
}

TEST_F(MigrateCommandTest, DropsADatabaseWhoseNameIsTyped) {
  for (const std::string via : {"stream", "archive"}) {
    std::string question;
    ask_ = [&](absl::string_view text) {
      question = std::string(text);
      return std::optional<std::string>("shop");
    };
    EXPECT_EQ(Offline({"--via", via, "--drop-target-first"}), ExitCode::kDone);
    EXPECT_EQ(question,
              "This drops database shop on new:5433 with everything in it.\n"
              "Type its name to go on: ");
    EXPECT_TRUE(via == "stream" ? streamed_->drop_target_first
                                : archived_->migrate.drop_target_first);
    ask_ = [&](absl::string_view) { return std::optional<std::string>("y"); };
    EXPECT_EQ(Offline({"--via", via, "--drop-target-first"}),
              ExitCode::kFailed);
    EXPECT_EQ(err(), "walferry: error: nothing was dropped\n");
    EXPECT_FALSE(streamed_.has_value() || archived_.has_value());
    ask_ = nullptr;
    EXPECT_EQ(Offline({"--via", via, "--drop-target-first"}), ExitCode::kUsage);
    EXPECT_EQ(Offline({"--via", via, "--drop-target-first", "--yes"}),
              ExitCode::kDone);
  }
}

TEST_F(MigrateCommandTest, EndsWithItsOwnCodeAfterErrors) {
  done_.errors = {{.shape = "role \"...\" does not exist",
                   .count = 2,
                   .first = {.object = "TABLE t", .message = "m"}},
                  {.shape = "other", .count = 1, .first = {}}};
  EXPECT_EQ(Offline({"--via", "archive", "--allow-restore-errors"}),
            ExitCode::kDifferences);
  EXPECT_THAT(out(), HasSubstr("the archive is kept: a"));
  EXPECT_THAT(err(), EndsWith("walferry: error: the restore went on after 3 "
                              "errors, so the target is not all that the "
                              "archive holds\n"
                              "walferry: hint: the result and the log name "
                              "them\n"));
}

// Whoever reads the events alone must not take it for complete.
TEST_F(MigrateCommandTest, EndsTheEventsWithTheErrorsThatWereAllowed) {
  done_.errors = {{.shape = "s", .count = 1, .first = {}}};
  EXPECT_EQ(
      Offline({"--via", "archive", "--allow-restore-errors", "--events", "-"}),
      ExitCode::kDifferences);
  EXPECT_THAT(out(), HasSubstr("\"event\":\"error\""));
  EXPECT_THAT(out(), HasSubstr("the restore went on after 1 error"));
  EXPECT_THAT(out(), Not(HasSubstr("\"event\":\"done\"")));
}

// The same command would dump anew.
TEST_F(MigrateCommandTest, IsNotResumableThroughAnArchive) {
  engine_.migrate_by_archive =
      [](const ArchiveMigrationOptions&, Control&,
         EventSink&) -> absl::StatusOr<ArchiveMigrationReport> {
    return WithHint(absl::CancelledError("pg_restore: interrupted"),
                    "the archive is complete");
  };
  EXPECT_EQ(Offline({"--via", "archive"}), ExitCode::kFailed);
  EXPECT_EQ(err(),
            "walferry: error: pg_restore: interrupted\n"
            "walferry: hint: the archive is complete\n");
}

}  // namespace
}  // namespace walferry
