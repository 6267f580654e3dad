#ifndef ENGINE_ARCHIVE_DRILL_STATE_H_
#define ENGINE_ARCHIVE_DRILL_STATE_H_

// Drill: whether what was restored can be worked with.

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/archive/drill_finding.h"
#include "engine/archive/sql_check.h"
#include "protocol/pg_connection.h"

namespace walferry {

// The next value of each sequence that a column owns is beyond the column's
// values, or the next INSERT would take one that is there.
absl::StatusOr<DrillFinding> CheckSequences(PgConnection& restored);

// Every constraint holds, but for those of `on_purpose` (NotValidOnPurpose).
// nullopt: nobody knows which are meant to be so.
absl::StatusOr<DrillFinding> CheckConstraints(
    PgConnection& restored,
    const std::optional<std::set<std::string>>& on_purpose);

absl::StatusOr<DrillFinding> CheckIndexes(PgConnection& restored);

// Every one of the archive's is there.
absl::StatusOr<DrillFinding> CheckExtensions(
    PgConnection& restored, const std::vector<std::string>& wanted);

// Undoes what the query does. An error of the query is a finding.
absl::StatusOr<DrillFinding> RunSqlCheck(PgConnection& restored,
                                         const SqlCheck& check);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_DRILL_STATE_H_
