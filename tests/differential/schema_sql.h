#ifndef TESTS_DIFFERENTIAL_SCHEMA_SQL_H_
#define TESTS_DIFFERENTIAL_SCHEMA_SQL_H_

// A random schema as SQL: for the source, for its targets, and what must be
// equal on them.

#include <string>

#include "absl/strings/string_view.h"
#include "tests/differential/dice.h"
#include "tests/differential/random_schema.h"

namespace walferry {

std::string SourceSql(const RandomSchema& schema);

// The same for every target; the columns' order is drawn.
std::string TargetSql(const RandomSchema& schema, Dice& dice);

// `native_only`: of the tables that a subscription can replicate.
std::string PublicationSql(const RandomSchema& schema, absl::string_view name,
                           bool native_only);

// On the source: the columns that come late. Empty: there are none.
std::string AddLateColumnsSql(const RandomSchema& schema);

// On the targets: gives their own columns values that depend on their rows.
std::string FillOwnColumnsSql(const RandomSchema& schema);

// What must be equal, as materialized views (DatabasesEqual compares these): in
// schema compared what source and targets share, in schema owned all that the
// targets must share with each other.
std::string ComparedSql(const RandomSchema& schema, bool late_columns,
                        bool target);

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_SCHEMA_SQL_H_
