#ifndef ENGINE_RECREATE_DATABASE_H_
#define ENGINE_RECREATE_DATABASE_H_

// Puts an empty database in another one's place. The old one is set aside under
// another name until the new one is known to be as it should, so that nothing
// is lost to a right, a locale or a template that turns out to be missing.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/connect.h"
#include "engine/pg_tools.h"

namespace walferry {

// The statements that make a database and give it its owner, settings and
// privileges, one each, out of what pg_dump and pg_restore print with --create
// and --verbose. kDataLoss as ParseDumpScript.
absl::StatusOr<std::vector<std::string>> DatabaseStatements(
    const std::string& script);

// What the database is called while it is set aside: "walferry_old_shop", of 63
// bytes at most.
std::string AsideName(absl::string_view dbname);

// What becomes of others who are in a database that gives way.
enum class OthersInside {
  kRefuse,  // kFailedPrecondition: who they are.
  kEnd,     // Their sessions are ended.
};

//   ASSIGN_OR_RETURN(const RecreatedDatabase fresh,
//                    RecreatedDatabase::Make(connector, tools, kRefuse));
//   ... look at the new database, and leave it ...
//   return looked.ok() ? fresh.DropOld() : fresh.PutBack();
//
// A process that is killed in between leaves the old database under its other
// name.
class RecreatedDatabase {
 public:
  // Of the target's connection string, which must outlive this; none of our own
  // sessions may be in it. The new one has the encoding, locale, owner,
  // settings, privileges and comment of the old. After an error everything is
  // as it was, or the error says what is not. kFailedPrecondition: the role may
  // not create databases, somebody is in it (kRefuse), or one of the aside name
  // exists.
  static absl::StatusOr<RecreatedDatabase> Make(const Connector& connector,
                                                const PgTools& tools,
                                                OthersInside others);

  // If that is refused, as PutBack(): the error says so.
  absl::Status DropOld() const;
  // Drops the new one, and gives the old one its name back.
  absl::Status PutBack() const;

 private:
  RecreatedDatabase(const Connector& connector, std::string dbname)
      : connector_(&connector), dbname_(std::move(dbname)) {}

  absl::StatusOr<PgConnection> OpenBeside(const Interrupt* interrupt) const;
  absl::StatusOr<bool> IsAside() const;
  absl::Status SetAside(PgConnection& session, OthersInside others) const;
  absl::Status Fill(PgConnection& session,
                    const std::vector<std::string>& statements) const;
  // `status`, and what has become of the database.
  absl::Status AfterPuttingBack(const absl::Status& status) const;

  const Connector* connector_;
  std::string dbname_;
};

}  // namespace walferry

#endif  // ENGINE_RECREATE_DATABASE_H_
