#ifndef ENGINE_SCHEMA_DUMP_EXCLUSIONS_H_
#define ENGINE_SCHEMA_DUMP_EXCLUSIONS_H_

// How pg_dump is told what is out of scope.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"

namespace walferry {

// Its arguments for the catalog's excluded schemas and tables, by their exact
// names. kFailedPrecondition: they do not fit on a command line.
absl::StatusOr<std::vector<std::string>> DumpExclusions(const Catalog& catalog);

// The same, and for the tables that stay empty.
absl::StatusOr<std::vector<std::string>> DumpExclusionsWithData(
    const Catalog& catalog);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_DUMP_EXCLUSIONS_H_
