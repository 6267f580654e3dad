#ifndef ENGINE_RECREATE_DATABASE_H_
#define ENGINE_RECREATE_DATABASE_H_

// Puts an empty database in another one's place. The new one is made beside the
// old one, and they change names in one transaction; the old one is set aside
// until the new one is known to be as it should. So nothing is lost to a right,
// a locale or a template that turns out to be missing, nor to a kill.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/connect.h"
#include "engine/pg_tools.h"

namespace walferry {

// What the database is called while it is set aside: "walferry_old_shop", of 63
// bytes at most.
std::string AsideName(absl::string_view dbname);
// And the new one before it has the name: "walferry_new_shop".
std::string FreshName(absl::string_view dbname);

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
// A process that is killed in between leaves the old database aside, and one
// that is killed in Make() perhaps an empty one of FreshName().
class RecreatedDatabase {
 public:
  // Of the target's connection string, which must outlive this; none of our own
  // sessions may be in it. The new one has the encoding, locale, owner,
  // settings, privileges and comment of the old. After an error everything is
  // as it was, or the error says what is not. kFailedPrecondition: as
  // CheckRecreatable, somebody is in it (kRefuse), or one of the aside name
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

  // Who takes the database's name, and what it is called then itself.
  struct Names {
    std::string from;
    std::string aside;
    absl::Span<const std::string> properties;
  };

  absl::StatusOr<PgConnection> OpenBeside(const Interrupt* interrupt) const;
  absl::StatusOr<bool> Exists(const std::string& name) const;
  absl::Status Exchange(PgConnection& session, OthersInside others,
                        const Names& names) const;
  absl::Status Rename(PgConnection& session, const Names& names) const;
  absl::Status DropFresh() const;
  // `status` of an exchange that failed, and what is left; OK: it was made.
  absl::Status WithoutFresh(const absl::Status& status) const;
  // `status`, and what has become of the database.
  absl::Status AfterPuttingBack(const absl::Status& status) const;

  const Connector* connector_;
  std::string dbname_;
};

}  // namespace walferry

#endif  // ENGINE_RECREATE_DATABASE_H_
