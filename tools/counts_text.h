#ifndef TOOLS_COUNTS_TEXT_H_
#define TOOLS_COUNTS_TEXT_H_

// How many changes of each table were decoded and applied, as `walferry status`
// prints it.

#include <string>

#include "apply/table_counts.h"
#include "protocol/lsn.h"

namespace walferry {

// "as many applied as decoded since 0/16B3748".
std::string AgreementText(const CountsByTable& counts, Lsn since);

// A table of those with the most changes, and a line for the rest; first those
// whose counts do not agree, all of them. "" if nothing was counted.
std::string CountsText(const CountsByTable& counts);

}  // namespace walferry

#endif  // TOOLS_COUNTS_TEXT_H_
