#ifndef ENGINE_TARGET_ALTERED_SETTINGS_H_
#define ENGINE_TARGET_ALTERED_SETTINGS_H_

// Settings of the target's server that walferry changes with ALTER SYSTEM for
// the time of a run, and the ledger's notes of what they were.
//
// A note has side kTarget, kind "setting", the setting's name as its identity,
// and as its detail what postgresql.auto.conf said of it before: "" for
// nothing, otherwise "=" and the value. So a note that was made twice, or taken
// back twice, does no harm, and what another file or a command line says is
// never written down as if somebody had used ALTER SYSTEM.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

// The notes of settings, in the order of their names here, as they all are at
// one moment: nobody's ALTER SYSTEM comes between two of them. Only a role that
// may read pg_file_settings can tell: a superuser, or who was granted that.
absl::StatusOr<std::vector<LedgerObject>> DescribeSettings(
    PgConnection& target, const std::vector<std::string>& names);

// ALTER SYSTEM, which takes effect with ReloadSettings.
absl::Status AlterSetting(PgConnection& target, absl::string_view name,
                          absl::string_view value);
absl::Status PutBackSetting(PgConnection& target, const LedgerObject& note);

// Returns when this session has read the server's files anew. Other sessions
// do before their next command. kFailedPrecondition: the server does not take
// them, and goes on with what it had (where it says why).
absl::Status ReloadSettings(PgConnection& target);

}  // namespace walferry

#endif  // ENGINE_TARGET_ALTERED_SETTINGS_H_
