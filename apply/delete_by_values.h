#ifndef APPLY_DELETE_BY_VALUES_H_
#define APPLY_DELETE_BY_VALUES_H_

// The SQL that deletes many rows which nothing but their values tells apart, in
// one pass over the table.

#include <string>

#include "apply/table_mapping.h"

namespace walferry {

// For tables with lookup_is_row(). The parameter is an array of the table's row
// type; a row that is in it k times is deleted k times, or as often as it is
// there.
//
// Rows are the same if the values of the lookup's columns look the same, as
// their output functions print them; NULL looks like nothing else. That is the
// row that is looked for one by one, too, if there is one (statement.h): only
// where it is missing a row that is merely equal is found instead. Then this
// deletes fewer rows than the parameter has.
//
// What was sent is compared as the columns store it: 1.234 finds 1.23 in a
// numeric(10, 2), which is what it was stored as. One by one it finds nothing.
std::string BuildDeleteByValues(const TableMapping& table);

}  // namespace walferry

#endif  // APPLY_DELETE_BY_VALUES_H_
