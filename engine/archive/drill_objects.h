#ifndef ENGINE_ARCHIVE_DRILL_OBJECTS_H_
#define ENGINE_ARCHIVE_DRILL_OBJECTS_H_

// Drill: the archive's objects beside those of what was restored from it, as
// pg_dump, which knows every kind, describes both.

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "engine/archive/drill_finding.h"
#include "engine/archive/target_database.h"
#include "engine/schema/dump_script.h"
#include "engine/schema/pg_tools.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// The database's schema. `encoding` as the archive's, so that names are the
// same bytes.
absl::StatusOr<DumpScript> DescribeDatabase(const TargetDatabase& database,
                                            const PgTools& tools,
                                            const std::string& encoding,
                                            const Interrupt& interrupt);

// Fails if something of the archive is missing (what). Without privileges and
// comments, whose form depends on the version, and without publications and
// subscriptions, which a drill does not restore.
DrillFinding CompareObjects(const DumpScript& archive,
                            const DumpScript& restored);

// Of the archive, what is marked as not valid: "public.orders orders_check", by
// schema, table or domain, and constraint.
std::set<std::string> NotValidOnPurpose(const DumpScript& archive);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_DRILL_OBJECTS_H_
