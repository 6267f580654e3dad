#include "tools/verify_report.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/documented_fields.h"
#include "tests/tools/sample_verification.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Nothing in it differs.
VerifyReport EqualReport(VerifyMethod method = VerifyMethod::kChecksum) {
  VerifyReport report = SampleVerification();
  report.method = method;
  report.position.reset();
  report.tables.resize(1);
  report.objects.clear();
  report.checks.clear();
  report.remarks.clear();
  return report;
}

std::string FirstLine(const VerifyReport& report) {
  const std::string text = VerifyText({.report = report}, 20);
  return text.substr(0, text.find('\n'));
}

TEST(VerifyText, HasEverythingThatWasFound) {
  EXPECT_EQ(
      VerifyText({.report = SampleVerification()}, 20),
      "DIFFERENT: new:5433/shop is not as old:5432/shop: 5 rows in 2 of 4 "
      "tables, 1 object, 1 check; 1 of 4 tables could not be compared\n"
      "  source             old:5432/shop, PostgreSQL 15.18\n"
      "  target             new:5433/shop, PostgreSQL 18.1\n"
      "  method             checksum: every column of every row\n"
      "  tables             4\n"
      "  rows               12,354\n"
      "  bytes              3.0 GiB (34 MiB/s)\n"
      "  ranges             14 of 14, 1 of them found equal by a run before\n"
      "  objects            412\n"
      "  checks             2\n"
      "  warnings           1\n"
      "  position           0/16B3778\n"
      "  applier stood      850 ms\n"
      "  began              2026-01-02 03:04:05 UTC\n"
      "  took               1 min 30 s\n"
      "\n"
      "public.log: 1 row missing on the target; 2 rows on the source, 1 on the "
      "target\n"
      "  missing    (1,started): 2 on the source, 1 on the target\n"
      "\n"
      "public.orders: 1 row missing on the target, 1 row too many there, 2 "
      "rows "
      "different\n"
      "  missing    id=17\n"
      "  extra      id=18\n"
      "  different  id=19\n"
      "    total: '1.10' on the source, '1.1' on the target\n"
      "    note: NULL on the source, '' on the target\n"
      "  and 1 more\n"
      "\n"
      "public.secret: source: permission denied for table secret\n"
      "\n"
      "objects\n"
      "  difference sequence public.orders_id_seq is behind\n"
      "    source: 12345\n"
      "    target: 1\n"
      "  warning    statistics public.orders_stat is not on the target\n"
      "    source: CREATE STATISTICS public.orders_stat\n"
      "\n"
      "checks\n"
      "  equal      turnover\n"
      "  different  orders < 5: the answers differ\n"
      "    source: 4\n"
      "    target: 7\n"
      "\n"
      "remarks\n"
      "  table public.far is foreign and was not compared\n"
      "\n"
      "next: both sides are of one position: what differs was written on the "
      "target, or is a fault; --online --repair makes its rows as the "
      "source's, with --dry-run it says how\n");
}

TEST(VerifyText, SaysWhatToDoNext) {
  const auto next = [](const VerifyReport& report) {
    const std::string text = VerifyText({.report = report}, 20);
    const size_t found = text.find("\nnext: ");
    return found == std::string::npos ? "" : text.substr(found + 7);
  };
  VerifyReport report = EqualReport();
  EXPECT_EQ(next(report), "");
  report.method = VerifyMethod::kCounts;
  EXPECT_EQ(next(report),
            "--method checksum compares every column of every row\n");
  report.objects = SampleVerification().objects;
  EXPECT_EQ(next(report),
            "make these objects alike, and run the same command again\n");
  report.tables.push_back(SampleDifferentTable());
  EXPECT_EQ(next(report), "--method checksum names the rows\n");
  report.method = VerifyMethod::kChecksum;
  EXPECT_EQ(next(report),
            "if applications still write to one side, stop them, and run the "
            "same command again; --repair makes the target's rows as the "
            "source's, with --dry-run it says how\n");
  report = EqualReport();
  report.tables.push_back(SampleVerification().tables.back());
  EXPECT_EQ(next(report),
            "see to what is said of these tables, and run the same command "
            "again\n");
}

TEST(VerifyText, ShowsNoMoreRowsThanWanted) {
  const std::string text = VerifyText({.report = SampleVerification()}, 1);
  EXPECT_THAT(text, HasSubstr("  missing    id=17\n"
                              "  and 3 more, which --report FILE.html shows\n"
                              "\n"));
  EXPECT_THAT(text, Not(HasSubstr("id=18")));
}

TEST(VerifyText, SaysWhichNumbersMayBeHigher) {
  VerifyAccount account{.report = SampleVerification()};
  account.report.tables[2].at_least = true;
  const std::string text = VerifyText(account, 1);
  EXPECT_THAT(text, HasSubstr("at least 5 rows in 2 of 4 tables, 1 object"));
  EXPECT_THAT(text, HasSubstr("\npublic.orders: at least 1 row missing on the "
                              "target, 1 row too many there, 2 rows different"
                              "\n"));
  EXPECT_THAT(text, HasSubstr("\n  and at least 3 more, which --report "
                              "FILE.html shows\n"));
  EXPECT_THAT(text, HasSubstr("\npublic.log: 1 row missing on the target;"));
  const std::string page = VerifyHtml(account, Redactor());
  EXPECT_THAT(page, HasSubstr("<p>More rows differ than are shown: at least 1."
                              "</p>"));
  EXPECT_THAT(page, HasSubstr("data-value=\"2\">&ge; 2</td>"));
}

TEST(VerifyText, IsShortWhereAllIsEqual) {
  EXPECT_EQ(VerifyText({.report = EqualReport()}, 20),
            "equal: all rows of old:5432/shop and new:5433/shop are the same, "
            "and no object differs\n"
            "  source             old:5432/shop, PostgreSQL 15.18\n"
            "  target             new:5433/shop, PostgreSQL 18.1\n"
            "  method             checksum: every column of every row\n"
            "  tables             1\n"
            "  rows               12,354\n"
            "  bytes              3.0 GiB (34 MiB/s)\n"
            "  ranges             1 of 1\n"
            "  objects            412\n"
            "  began              2026-01-02 03:04:05 UTC\n"
            "  took               1 min 30 s\n");
}

// Whoever reads the first line only must not believe more than was proved.
TEST(VerifyText, ClaimsNoMoreThanTheMethodProves) {
  EXPECT_EQ(FirstLine(EqualReport(VerifyMethod::kCounts)),
            "equal: the tables of old:5432/shop and new:5433/shop have as many "
            "rows; what is in them was not compared, and no object differs");
  EXPECT_EQ(FirstLine(EqualReport(VerifyMethod::kEstimate)),
            "equal: the planner's estimates of old:5432/shop and new:5433/shop "
            "are alike, which proves nothing, and no object differs");
  VerifyReport estimate = EqualReport(VerifyMethod::kEstimate);
  estimate.tables[0].outcome = TableVerdict::Outcome::kWarning;
  EXPECT_EQ(FirstLine(estimate),
            "equal: the planner's estimates of old:5432/shop and new:5433/shop "
            "are not all known or alike, which proves nothing, and no object "
            "differs");
  VerifyReport sample = EqualReport(VerifyMethod::kSample);
  sample.tables[0].ranges_total = 20;
  EXPECT_EQ(FirstLine(sample),
            "equal: the rows of old:5432/shop and new:5433/shop are the same "
            "in 1 of 20 ranges; the others were not compared, and no object "
            "differs");
  VerifyReport rows_only = EqualReport();
  rows_only.schema_compared = false;
  EXPECT_EQ(FirstLine(rows_only),
            "equal: all rows of old:5432/shop and new:5433/shop are the same; "
            "their schemas were not compared");
  VerifyReport nothing = EqualReport();
  nothing.tables.clear();
  EXPECT_EQ(FirstLine(nothing),
            "equal: no table was compared, and no object differs");
}

TEST(VerifyText, SaysWhatNobodyKnows) {
  VerifyReport report = EqualReport();
  report.tables.push_back(SampleVerification().tables.back());
  EXPECT_EQ(FirstLine(report),
            "NOT KNOWN: 1 of 2 tables could not be compared; nothing else "
            "differs");
  report.objects = {{.weight = ObjectDifference::Weight::kUnknown,
                     .kind = "sequence",
                     .object = "public.s",
                     .what = "could not be compared: source: no"}};
  report.checks = {{.name = "turnover", .unknown = true}};
  EXPECT_EQ(FirstLine(report),
            "NOT KNOWN: 1 of 2 tables, 1 object, 1 check could not be "
            "compared; nothing else differs");
  report.tables.pop_back();
  const std::string text = VerifyText({.report = report}, 20);
  EXPECT_EQ(
      text.substr(text.find("\nobjects\n")),
      "\nobjects\n"
      "  unknown    sequence public.s could not be compared: source: no\n"
      "\n"
      "checks\n"
      "  unknown    turnover\n"
      "\n"
      "next: see to what is said of it, and run the same command again\n");
  EXPECT_EQ(VerifyText({.report = {}, .trouble = "source: gone"}, 20),
            "NOT KNOWN: source: gone\n");
}

std::string RepairedPart(const RepairReport& repair) {
  VerifyReport report = EqualReport();
  report.repair = repair;
  const std::string text = VerifyText({.report = report}, 20);
  const size_t found = text.find("\n\n");
  return found == std::string::npos ? "" : text.substr(found + 1);
}

TEST(VerifyText, TellsWhatWasRepaired) {
  EXPECT_EQ(RepairedPart(SampleRepair()),
            "\nrepaired\n"
            "  public.log: 1 row inserted, 2 rows deleted\n"
            "  public.orders: no row\n"
            "    not repaired: public.orders: has changed on the target since "
            "it was compared\n");
  EXPECT_EQ(RepairedPart({}), "\nrepaired\n  no row differed\n");
}

TEST(VerifyText, ShowsTheSqlOfADryRunAtItsEnd) {
  RepairReport repair = SampleRepair();
  repair.dry_run = true;
  repair.tables.pop_back();
  repair.statements = {"BEGIN", "DELETE FROM a WHERE b = 'c\nd'", "COMMIT"};
  EXPECT_EQ(RepairedPart(repair),
            "\nwould be repaired\n"
            "  public.log: 1 row inserted, 2 rows deleted\n"
            "\nSQL\n\n"
            "BEGIN;\nDELETE FROM a WHERE b = 'c\nd';\nCOMMIT;\n");
  repair.statements_left_out = true;
  EXPECT_THAT(RepairedPart(repair),
              testing::EndsWith("\n-- that is not all of it: the rest would "
                                "be too long\n"));
}

TEST(VerifyText, KeepsTheTerminalSafe) {
  VerifyReport report = SampleVerification();
  report.tables[1].rows[0].key = "(\x1b[2J)";
  report.tables[1].table.name = "a\nb";
  EXPECT_THAT(VerifyText({.report = report}, 20),
              testing::AllOf(HasSubstr("(\\x1b[2J)"), HasSubstr("a\\nb"),
                             Not(HasSubstr("\x1b"))));
}

TEST(VerifyJson, HasValuesAsTheyAre) {
  const auto json = nlohmann::ordered_json::parse(
      VerifyJson({.report = SampleVerification()}, Redactor()));
  EXPECT_EQ(json["verdict"], "different");
  EXPECT_EQ(json["position_lsn"], "0/16B3778");
  const auto& row = json["tables"][2]["rows"][2];
  EXPECT_EQ(row["columns"].dump(),
            R"([{"column":"total","source":"1.10","target":"1.1"},)"
            R"({"column":"note","source":null,"target":""}])");
  EXPECT_EQ(json["tables"][3]["source_rows"], nullptr);
  EXPECT_EQ(json["tables"][3]["outcome"], "unknown");
}

// The password is one of the words that a program looks for.
TEST(VerifyJson, KeepsPasswordsOutOfValuesOnly) {
  Redactor redactor;
  redactor.AddConnInfo("host=x user=ada password=different");
  VerifyReport report = SampleVerification();
  report.remarks = {"is different"};
  report.tables[2].rows[2].columns[0].source = "different";
  const auto json =
      nlohmann::ordered_json::parse(VerifyJson({.report = report}, redactor));
  EXPECT_EQ(json["verdict"], "different");
  EXPECT_EQ(json["tables"][2]["outcome"], "different");
  EXPECT_EQ(json["tables"][2]["rows"][2]["kind"], "different");
  EXPECT_EQ(json["tables"][2]["rows"][2]["columns"][0]["source"], "***");
  EXPECT_EQ(json["remarks"][0], "is ***");
}

TEST(VerifyPage, DocumentsExactlyTheFieldsThatAreWritten) {
  VerifyReport report = SampleVerification();
  report.repair = SampleRepair();
  const auto json =
      nlohmann::ordered_json::parse(VerifyJson({.report = report}, Redactor()));
  const auto& rows = json["tables"][2]["rows"];
  const std::map<std::string, std::vector<std::string>> written = {
      {"", KeysOf(json)},
      {"tables", KeysOf(json["tables"][0])},
      {"rows", KeysOf(rows[0])},
      {"columns", KeysOf(rows[2]["columns"][0])},
      {"objects", KeysOf(json["objects"][0])},
      {"checks", KeysOf(json["checks"][0])},
      {"repair", KeysOf(json["repair"])},
      {"repair.tables", KeysOf(json["repair"]["tables"][0])}};
  EXPECT_EQ(DocumentedFields("verify.md"), written);
}

// Every tag that is opened is closed, in the right order; "" or what is wrong.
std::string WrongNesting(absl::string_view page) {
  std::vector<std::string> open;
  const size_t body = page.find("<body>");
  page.remove_prefix(body);
  page = page.substr(0, page.find("<script>"));
  for (size_t at = page.find('<'); at != absl::string_view::npos;
       at = page.find('<', at + 1)) {
    const size_t end = page.find('>', at);
    if (end == absl::string_view::npos) return "an open <";
    const absl::string_view tag = page.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find(' ')));
    if (name == "input") continue;
    if (name[0] != '/') {
      open.push_back(name);
    } else if (open.empty() || "/" + open.back() != name) {
      return absl::StrCat("<", name, "> behind <",
                          open.empty() ? "" : open.back(), ">");
    } else {
      open.pop_back();
    }
  }
  return open == std::vector<std::string>{"body"} ? "" : "a tag is left open";
}

TEST(VerifyHtml, TellsWhatWasRepaired) {
  VerifyReport report = SampleVerification();
  report.repair = SampleRepair();
  const std::string page = VerifyHtml({.report = report}, Redactor());
  EXPECT_EQ(WrongNesting(page), "");
  EXPECT_THAT(page, HasSubstr("<h2>Rows repaired</h2>"));
  EXPECT_THAT(page, HasSubstr("<td>public.log</td><td>1 row inserted, 2 rows "
                              "deleted</td><td></td>"));
}

TEST(VerifyHtml, IsAWholePage) {
  const std::string page =
      VerifyHtml({.report = SampleVerification()}, Redactor());
  EXPECT_EQ(WrongNesting(page), "");
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>\n"));
  EXPECT_THAT(page, testing::EndsWith("</script>\n</body>\n</html>\n"));
  // No network is needed.
  for (const char* const elsewhere : {"http:", "https:", "src=", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(elsewhere)));
  }
  EXPECT_THAT(
      page,
      HasSubstr("<p class=\"different\">different: new:5433/shop is not as "
                "old:5432/shop: 5 rows in 2 of 4 tables, 1 object, 1 "
                "check; 1 of 4 tables could not be compared.</p>\n"
                "<table>\n"
                "<tr><th>Source</th><td>old:5432/shop, PostgreSQL "
                "15.18</td></tr>\n"));
  EXPECT_THAT(
      page,
      HasSubstr("<tr data-outcome=\"different\"><td><a href=\"#table-2\">"
                "public.orders</a></td><td class=\"different\">different</td>"
                "<td class=\"number\" data-value=\"12345\">12,345</td>"
                "<td class=\"number\" data-value=\"12345\">12,345</td>"
                "<td class=\"number\" data-value=\"1\">1</td>"
                "<td class=\"number\" data-value=\"1\">1</td>"
                "<td class=\"number\" data-value=\"2\">2</td>"
                "<td class=\"number\" data-value=\"12\">12/12</td>"
                "<td class=\"number\" data-value=\"2000\">2.0 s</td>"
                "<td>1 row missing on the target, 1 row too many there, 2 rows "
                "different</td></tr>\n"));
  EXPECT_THAT(page, HasSubstr("<tr><td><code>id=19</code></td><td "
                              "class=\"different\">different</td><td>total</td>"
                              "<td><code>&apos;1.10&apos;</code></td>"
                              "<td><code>&apos;1.1&apos;</code></td></tr>\n"));
  EXPECT_THAT(page, HasSubstr("<details id=\"table-2\" open>"));
  EXPECT_THAT(page, HasSubstr("<p>More rows differ than are shown: 1.</p>"));
  EXPECT_THAT(page, HasSubstr("<li>table public.far is foreign and was not "
                              "compared</li>"));
}

TEST(VerifyHtml, LetsNoValueBecomeMarkup) {
  const std::string evil = "\"><script>alert('x')</script>&<b>";
  VerifyReport report = SampleVerification();
  report.source = report.target = report.source_version = evil;
  for (TableVerdict& table : report.tables) {
    table.table = {evil, evil};
    table.detail = evil;
    for (RowDifference& row : table.rows) {
      row.key = evil;
      for (ColumnDifference& column : row.columns) column = {evil, evil, evil};
    }
  }
  for (ObjectDifference& object : report.objects) {
    object = {object.weight, evil, evil, evil, evil, evil};
  }
  for (CheckVerdict& check : report.checks) {
    check = {evil, check.equal, check.unknown, evil, evil, evil};
  }
  report.remarks = {evil};
  const std::string page = VerifyHtml({.report = report}, Redactor());
  EXPECT_EQ(WrongNesting(page), "");
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  EXPECT_THAT(VerifyHtml({.report = {}, .trouble = evil}, Redactor()),
              Not(HasSubstr("<script>alert")));
}

TEST(VerifyHtml, KeepsPasswordsOut) {
  Redactor redactor;
  redactor.AddConnInfo("host=x password=hunter<2");
  VerifyReport report = SampleVerification();
  report.remarks = {"it is hunter<2"};
  report.tables[2].rows[2].columns[0].source = "hunter<2";
  EXPECT_THAT(VerifyHtml({.report = report}, redactor),
              testing::AllOf(HasSubstr("it is ***"), HasSubstr("***&apos;"),
                             Not(HasSubstr("hunter"))));
}

}  // namespace
}  // namespace walferry
