#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/check/check.h"

namespace walferry {
namespace {

Finding Ok(std::string id, std::string subject, std::string text) {
  return {.id = std::move(id),
          .subject = std::move(subject),
          .text = std::move(text)};
}

CheckReport Report() {
  CheckReport report{.source_version = 150004, .target_version = 180001};
  report.ladder = {.replica_role = true};
  report.findings = {
      Ok("wal-level", "source", "wal_level is logical"),
      {.id = "target-space",
       .severity = Severity::kInfo,
       .subject = "target",
       .text = "the tables take 5 GB"},
      {.id = "replica-identity",
       .severity = Severity::kBlocking,
       .acceptable = true,
       .subject = "public.log",
       .text = "it has no primary key that identifies rows at once: once it is "
               "published, the application's own UPDATE and DELETE on it fail "
               "on the source",
       .hint = "ALTER TABLE \"public\".\"log\" REPLICA IDENTITY FULL; -- a "
               "hint is one line, however long it is"},
      {.id = "wal-room",
       .severity = Severity::kWarning,
       .subject = "source",
       .text = "the slot is lost once it has to keep more than 1GB",
       .hint = "ALTER SYSTEM SET max_slot_wal_keep_size = -1;"},
      {.id = "same-database",
       .severity = Severity::kBlocking,
       .subject = "target",
       .text = "source and target are the same database"},
      Ok("pooler", "target", "the connection goes to the server itself"),
  };
  return report;
}

TEST(FormatCheckReport, PutsWhatBlocksFirst) {
  EXPECT_EQ(FormatCheckReport(Report(), {}, /*color=*/false),
            R"(source PostgreSQL 15.4, target PostgreSQL 18.1

BLOCKING (2)
  replica-identity  public.log
      it has no primary key that identifies rows at once: once it is published,
      the application's own UPDATE and DELETE on it fail on the source
      -> ALTER TABLE "public"."log" REPLICA IDENTITY FULL; -- a hint is one line, however long it is
      -> or --accept replica-identity
  same-database  target
      source and target are the same database

WARNING (1)
  wal-room  source
      the slot is lost once it has to keep more than 1GB
      -> ALTER SYSTEM SET max_slot_wal_keep_size = -1;

INFO (1)
  target-space  target
      the tables take 5 GB

OK (2)
  wal-level  source  wal_level is logical
  pooler     target  the connection goes to the server itself

not ready: 2 blocking findings
)");
}

TEST(FormatCheckReport, ShowsWhatIsAcceptedApart) {
  CheckReport report = Report();
  report.findings.resize(3);
  EXPECT_EQ(FormatCheckReport(report, {"replica-identity"}, /*color=*/false),
            R"(source PostgreSQL 15.4, target PostgreSQL 18.1

ACCEPTED (1)
  replica-identity  public.log
      it has no primary key that identifies rows at once: once it is published,
      the application's own UPDATE and DELETE on it fail on the source
      -> ALTER TABLE "public"."log" REPLICA IDENTITY FULL; -- a hint is one line, however long it is

INFO (1)
  target-space  target
      the tables take 5 GB

OK (1)
  wal-level  source  wal_level is logical

ready to migrate
)");
}

TEST(FormatCheckReport, SaysOfWhichDatabaseItSpeaks) {
  CheckReport report = Report();
  report.findings.resize(3);
  report.findings[0].database = "shop";
  report.findings[1].database = "Odd \"name\"";
  report.findings[2].database = "shop";
  report.findings[2].text = "it has no primary key";
  report.findings[2].hint = "";
  EXPECT_EQ(FormatCheckReport(report, {}, /*color=*/false),
            R"(source PostgreSQL 15.4, target PostgreSQL 18.1

BLOCKING (1)
  replica-identity  database shop: public.log
      it has no primary key
      -> or --accept replica-identity

INFO (1)
  target-space  database Odd "name": target
      the tables take 5 GB

OK (1)
  wal-level  database shop: source  wal_level is logical

not ready: 1 blocking finding
)");
  EXPECT_TRUE(report.Blocking({"replica-identity:public.log"}).empty());
}

TEST(FormatCheckReport, ColoursOnlyTitlesAndVerdict) {
  CheckReport report{.source_version = 140000, .target_version = 140000};
  report.findings = {Ok("wal-level", "source", "wal_level is logical")};
  EXPECT_EQ(FormatCheckReport(report, {}, /*color=*/true),
            "source PostgreSQL 14.0, target PostgreSQL 14.0\n"
            "\n"
            "\x1b[32mOK\x1b[0m (1)\n"
            "  wal-level  source  wal_level is logical\n"
            "\n"
            "\x1b[32;1mready to migrate\x1b[0m\n");
}

TEST(CheckReportToJson, HasEveryFindingInItsOrder) {
  CheckReport report = Report();
  report.findings.resize(3);
  report.findings.erase(report.findings.begin());
  report.findings[1].database = "shop";
  report.findings[0].text = "a byte that is no UTF-8: \xff";
  EXPECT_EQ(CheckReportToJson(report, {"replica-identity"}), R"({
  "ready": true,
  "blocking": 0,
  "source_version": 150004,
  "target_version": 180001,
  "target_allows": {
    "session_replication_role": true,
    "replication_origin": false,
    "create_schema": false,
    "temporary_tables": false,
    "timeouts": false
  },
  "findings": [
    {
      "id": "target-space",
      "severity": "info",
      "acceptable": false,
      "accepted": false,
      "database": "",
      "subject": "target",
      "text": "a byte that is no UTF-8: )"
                                                             "\xef\xbf\xbd"
                                                             R"(",
      "hint": ""
    },
    {
      "id": "replica-identity",
      "severity": "blocking",
      "acceptable": true,
      "accepted": true,
      "database": "shop",
      "subject": "public.log",
      "text": "it has no primary key that identifies rows at once: once it is published, the application's own UPDATE and DELETE on it fail on the source",
      "hint": "ALTER TABLE \"public\".\"log\" REPLICA IDENTITY FULL; -- a hint is one line, however long it is"
    }
  ]
})");
}

TEST(CheckReport, BlocksOnWhatIsNotAccepted) {
  const CheckReport report = Report();
  const std::vector<const Finding*> blocking = report.Blocking({});
  ASSERT_EQ(blocking.size(), 2u);
  EXPECT_EQ(blocking[0]->id, "replica-identity");
  EXPECT_EQ(blocking[1]->id, "same-database");
}

TEST(CheckReport, TakesAcceptanceByIdOrForOneSubject) {
  const CheckReport report = Report();
  EXPECT_EQ(report.Blocking({"replica-identity"}).size(), 1u);
  EXPECT_EQ(report.Blocking({"replica-identity:public.log"}).size(), 1u);
  EXPECT_EQ(report.Blocking({"replica-identity:public.other"}).size(), 2u);
  EXPECT_EQ(report.Blocking({"replica"}).size(), 2u);
}

TEST(Accepts, KnowsTheTwoFormsOfAFindingsName) {
  EXPECT_TRUE(Accepts({"x", "tablespace"}, "tablespace", "target"));
  EXPECT_TRUE(Accepts({"tablespace:target"}, "tablespace", "target"));
  EXPECT_FALSE(Accepts({"tablespace:source"}, "tablespace", "target"));
  EXPECT_FALSE(Accepts({}, "tablespace", "target"));
}

TEST(CheckReport, CannotBeTalkedOutOfWhatIsNotAcceptable) {
  EXPECT_EQ(Report().Blocking({"same-database"}).size(), 2u);
}

}  // namespace
}  // namespace walferry
