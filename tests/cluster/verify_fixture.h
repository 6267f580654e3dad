#ifndef TESTS_CLUSTER_VERIFY_FIXTURE_H_
#define TESTS_CLUSTER_VERIFY_FIXTURE_H_

// RunVerify between two databases that are made equal, and then are not. For
// tests/cluster/verify*_test.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/verify/verification.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"

namespace walferry {

// Tables of which a range is smaller, with rows of all kinds.
inline constexpr char kVerifiedTables[] =
    "CREATE TABLE orders (id bigint PRIMARY KEY, placed timestamptz, note "
    "text, price numeric, weight float8);"
    "INSERT INTO orders SELECT i, '2026-01-01'::timestamptz + i * interval '1 "
    "min', 'order ' || i, i * 1.10, i / 7.0 FROM generate_series(1, 20000) i;"
    "CREATE TABLE lines (order_id int, line int, what text, PRIMARY KEY "
    "(order_id, line));"
    "INSERT INTO lines SELECT i / 4, i % 4, 'thing ' || i FROM "
    "generate_series(1, 20000) i;"
    "CREATE TABLE people (name text PRIMARY KEY, age int);"
    "INSERT INTO people SELECT md5(i::text), i % 90 FROM generate_series(1, "
    "5000) i;"
    "CREATE TABLE log (at int, line text);"
    "INSERT INTO log SELECT i, 'line ' || i % 100 FROM generate_series(1, "
    "5000) i;"
    "CREATE TABLE docs (id uuid PRIMARY KEY, body text);"
    "ALTER TABLE docs ALTER body SET STORAGE EXTERNAL;"
    "INSERT INTO docs SELECT md5(i::text)::uuid, repeat(md5(i::text), 200) "
    "FROM generate_series(1, 500) i;";

class VerifyTest : public AppTest {
 protected:
  VerifyOptions Options() const {
    VerifyOptions options;
    options.endpoints = Both();
    options.schema = false;
    options.range_bytes = 64 << 10;
    return options;
  }

  absl::StatusOr<VerifyReport> Verify(const VerifyOptions& options) {
    Control control;
    return RunVerify(options, control, events_);
  }
  absl::StatusOr<VerifyReport> Verify() { return Verify(Options()); }

  void OnBoth(const std::string& sql) {
    ASSERT_OK(OnSource(sql));
    ASSERT_OK(OnTarget(sql));
  }

  static std::string TextOf(const RowDifference& row) {
    std::string text =
        absl::StrCat(row.kind == RowDifference::Kind::kMissing ? "missing "
                     : row.kind == RowDifference::Kind::kExtra ? "extra "
                                                               : "different ",
                     row.key);
    if (row.kind != RowDifference::Kind::kDifferent &&
        row.source_count + row.target_count > 1) {
      absl::StrAppend(&text, " (", row.source_count, "/", row.target_count,
                      ")");
    }
    for (const ColumnDifference& column : row.columns) {
      absl::StrAppend(&text, "; ", column.column, ": ",
                      column.source.value_or("NULL"), " -> ",
                      column.target.value_or("NULL"));
    }
    return text;
  }

  // All that is not equal, each as a line: tables with their detail, then
  // rows.
  static std::vector<std::string> Differences(const VerifyReport& report) {
    std::vector<std::string> lines;
    for (const TableVerdict& table : report.tables) {
      if (table.outcome == TableVerdict::Outcome::kEqual) continue;
      lines.push_back(absl::StrCat(
          ToDisplay(table.table),
          table.outcome == TableVerdict::Outcome::kDifferent ? ""
          : table.outcome == TableVerdict::Outcome::kUnknown ? " unknown"
                                                             : " warning",
          table.detail.empty() ? "" : ": ", table.detail));
      for (const RowDifference& row : table.rows) lines.push_back(TextOf(row));
    }
    return lines;
  }

  // Differences after a statement on the target, or what went wrong.
  std::vector<std::string> DifferencesAfter(const std::string& on_target) {
    if (absl::Status done = OnTarget(on_target); !done.ok()) {
      return {done.ToString()};
    }
    const absl::StatusOr<VerifyReport> report = Verify();
    if (!report.ok()) return {report.status().ToString()};
    return Differences(*report);
  }

  static const TableVerdict& Of(const VerifyReport& report,
                                const std::string& table) {
    for (const TableVerdict& verdict : report.tables) {
      if (verdict.table.name == table) return verdict;
    }
    ADD_FAILURE() << "no verdict on " << table;
    static const auto* const kNone = new TableVerdict;
    return *kNone;
  }

  EventRecorder events_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_VERIFY_FIXTURE_H_
