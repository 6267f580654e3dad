// globals as a command: what it asks for, says and ends with.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/tools/program_fixture.h"
#include "tools/globals_text.h"

namespace walferry {
namespace {

using GlobalsCommandTest = ProgramTest;

TEST_F(GlobalsCommandTest, AsksForWhatItIsTold) {
  GlobalsOptions asked;
  engine_.globals = [&](const GlobalsOptions& options, Control&,
                        EventSink& events) {
    asked = options;
    events.OnEvent(Notice{.level = Notice::Level::kWarning,
                          .text = "tablespace fast: skipped"});
    return absl::StatusOr<GlobalsReport>(
        GlobalsReport{.statements = {"CREATE ROLE \"a\""},
                      .roles = {"a", "b"},
                      .roles_without_password = {"b"},
                      .skipped_tablespaces = {"fast"}});
  };
  EXPECT_EQ(Run({"globals", "--update-existing", "--no-role-passwords",
                 "--tablespace-mapping", "fast=/ssd", "--tablespace-mapping",
                 "/a=/b=c", "--accept", "role-setting:role a"}),
            ExitCode::kDone);
  EXPECT_EQ(asked.endpoints.source, kProgramSource);
  EXPECT_EQ(asked.endpoints.target, kProgramTarget);
  EXPECT_TRUE(asked.plan.update_existing);
  EXPECT_FALSE(asked.plan.passwords);
  EXPECT_FALSE(asked.dry_run);
  ASSERT_EQ(asked.plan.tablespaces.size(), 2u);
  EXPECT_EQ(asked.plan.tablespaces[0].from, "fast");
  EXPECT_EQ(asked.plan.tablespaces[0].to, "/ssd");
  EXPECT_EQ(asked.plan.tablespaces[1].to, "/b=c");
  EXPECT_THAT(asked.accept, testing::ElementsAre("role-setting:role a"));
  EXPECT_EQ(out(),
            "roles created: a, b\n"
            "roles without a password: b\n"
            "tablespaces skipped: fast\n"
            "statements run: 1\n");
  EXPECT_THAT(err(), testing::EndsWith("tablespace fast: skipped\n"));
}

TEST_F(GlobalsCommandTest, PrintsWhatItWouldDoAsSql) {
  engine_.globals = [&](const GlobalsOptions& options, Control&, EventSink&) {
    EXPECT_TRUE(options.dry_run);
    return absl::StatusOr<GlobalsReport>(
        GlobalsReport{.dry_run = true,
                      .findings = {{.id = "role-attributes",
                                    .severity = Severity::kBlocking,
                                    .acceptable = true,
                                    .subject = "role a",
                                    .text = "is SUPERUSER\non the source"}},
                      .statements = {"CREATE ROLE \"a\" PASSWORD '***'"}});
  };
  EXPECT_EQ(Run({"globals", "--dry-run"}), ExitCode::kDone);
  EXPECT_EQ(out(),
            "-- blocking role-attributes, role a: is SUPERUSER\n"
            "-- on the source (--accept role-attributes goes on without)\n"
            "CREATE ROLE \"a\" PASSWORD '***';\n");
  EXPECT_EQ(err(), "");
}

TEST_F(GlobalsCommandTest, RefusesWhatItCannotRead) {
  EXPECT_EQ(Run({"globals", "--tablespace-mapping", "/ssd"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: --tablespace-mapping: \"/ssd\" is not of the "
            "form OLD=NEW\n");
  EXPECT_EQ(Run({"globals", "--accept", "role-attribute"}), ExitCode::kUsage);
  EXPECT_EQ(err(),
            "walferry: error: --accept: no finding has the id "
            "\"role-attribute\"\n"
            "walferry: hint: did you mean role-attributes?\n");
}

TEST_F(GlobalsCommandTest, SaysWhatFailed) {
  engine_.globals = [](const GlobalsOptions&, Control&, EventSink&) {
    return absl::StatusOr<GlobalsReport>(WithHint(
        absl::FailedPreconditionError("globals: 1 finding blocks: x"), "y"));
  };
  EXPECT_EQ(Run({"globals"}), ExitCode::kFailed);
  EXPECT_EQ(err(),
            "walferry: error: globals: 1 finding blocks: x\n"
            "walferry: hint: y\n");
}

}  // namespace
}  // namespace walferry
