#ifndef ENGINE_TARGET_RECREATE_DATABASE_H_
#define ENGINE_TARGET_RECREATE_DATABASE_H_

// Puts an empty database in another one's place. The new one is made beside the
// old one, they change names in one transaction, and only then the old one is
// dropped: nothing is lost to a right, a locale or a template that turns out to
// be missing, and whoever is killed leaves one whole database of the name.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/connect/connect.h"
#include "engine/schema/pg_tools.h"
#include "protocol/pg_connection.h"

namespace walferry {

// What the old one is called until it is dropped: "walferry_old_shop", of 63
// bytes at most.
std::string AsideName(absl::string_view dbname);
// And the new one before it has the name: "walferry_new_16388_shop", with the
// old one's OID, as long names are cut.
std::string FreshName(absl::string_view dbname, absl::string_view oid);

// kFailedPrecondition: others are in the session's database (who). Those that
// bear the session's own application_name do not count: our own of before may
// not have ended yet.
absl::Status CheckNobodyInside(PgConnection& target);

// What a run that was killed has put aside of the session's database, and how
// that goes away: a sentence, or "".
absl::StatusOr<std::string> LeftOverOf(PgConnection& target);

// What becomes of others who are in a database that gives way.
enum class OthersInside {
  kRefuse,  // kFailedPrecondition: who they are.
  kEnd,     // Their sessions are ended.
};

// Of the target's connection string; none of our own sessions may be in it. The
// new one has the encoding, locale, owner, settings, privileges and comment of
// the old. An error says what is there now. kFailedPrecondition: as
// CheckRecreatable, somebody is in it (kRefuse), or a database of one of the
// names above was left by a run that was killed.
absl::Status RecreateDatabase(const Connector& connector, const PgTools& tools,
                              OthersInside others);

}  // namespace walferry

#endif  // ENGINE_TARGET_RECREATE_DATABASE_H_
