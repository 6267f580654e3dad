#ifndef TESTS_DIFFERENTIAL_COLUMN_TYPE_H_
#define TESTS_DIFFERENTIAL_COLUMN_TYPE_H_

// The types of random columns, and values of them as SQL.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace walferry {

struct ColumnType {
  absl::string_view name;
  // An SQL expression of one number (#, not negative), so that the same text
  // makes one row or many.
  absl::string_view value;
  // Another number gives another value, and a btree tells them apart.
  bool key = false;
  // Values that are equal look alike; not so 1.0 and 1.00.
  bool equal_is_identical = true;
  // Has an operator that says so.
  bool equality = true;
  // It may come in binary form.
  bool portable = true;
  // Long values, stored out of line: left out of updates that keep them.
  bool external = false;
  // An equal value that looks different, of the column #; empty: none.
  absl::string_view twin = "";
};

// CREATE statements of those that are not built in.
std::string CreateTypesSql();

const std::vector<ColumnType>& AllColumnTypes();
// The ones that may be keys, and the ones that may be anything.
std::vector<const ColumnType*> KeyTypes(bool portable_only);
std::vector<const ColumnType*> ValueTypes(bool portable_only);
const ColumnType& TypeNamed(absl::string_view name);

// The value for an expression of type int, "17" or "i + 3".
std::string ValueOf(const ColumnType& type, absl::string_view number);
// The same, or NULL for one number out of seven.
std::string NullableValueOf(const ColumnType& type, absl::string_view number);

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_COLUMN_TYPE_H_
