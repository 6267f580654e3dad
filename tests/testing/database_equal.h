#ifndef TESTS_TESTING_DATABASE_EQUAL_H_
#define TESTS_TESTING_DATABASE_EQUAL_H_

// The oracle of every cluster test: do two databases hold the same rows?
//
// Rows are compared as the servers print them, column by column in the order
// of the columns' names, under settings that make the text exact and the same
// on every server; their order in the table does not matter, duplicates do.
// Materialized views are compared as tables are. Sequences are compared by
// last_value and is_called. Not compared: views, indexes and the rest of the
// schema, foreign tables, large objects.
//
// Two databases of which nothing is compared are not equal: a test that looks
// at the wrong ones would pass.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/testing/sql.h"

namespace walferry {

struct CompareOptions {
  std::vector<std::string> excluded_schemas = {"walferry"};  // Unquoted.
  // "schema.table" or "schema.sequence", each name quoted if it must be.
  std::vector<std::string> excluded_relations;
  bool sequences = true;
};

// Equal for equal contents, and different for others as sure as md5 is.
struct TableFingerprint {
  std::string columns;  // Their names, sorted.
  int64_t rows = 0;
  std::string hash;  // Independent of the rows' order.

  bool operator==(const TableFingerprint&) const = default;
};

// By "schema.name", each name quoted if it must be.
struct DatabaseFingerprint {
  std::map<std::string, TableFingerprint> tables;
  std::map<std::string, std::string> sequences;  // "last_value,is_called"

  bool operator==(const DatabaseFingerprint&) const = default;
};

// Reads everything in one snapshot. Ends a transaction that is open on
// `connection`, and leaves some settings changed.
absl::StatusOr<DatabaseFingerprint> FingerprintDatabase(
    SqlConnection& connection, const CompareOptions& options = {});

// Both by connection string. A failure names every table and sequence that
// differs, and shows a few of the rows that only one side has.
testing::AssertionResult DatabasesEqual(const std::string& source,
                                        const std::string& target,
                                        const CompareOptions& options = {});

inline void ExpectDatabasesEqual(const std::string& source,
                                 const std::string& target,
                                 const CompareOptions& options = {}) {
  EXPECT_TRUE(DatabasesEqual(source, target, options));
}

}  // namespace walferry

#endif  // TESTS_TESTING_DATABASE_EQUAL_H_
