#ifndef ENGINE_CATALOG_PUBLICATION_H_
#define ENGINE_CATALOG_PUBLICATION_H_

// The publication that a slot's changes are chosen by.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/catalog/catalog.h"
#include "protocol/pg_connection.h"

namespace walferry {

// CREATE PUBLICATION for exactly these tables and all four operations. Tables
// are named with ONLY; partitions are published as themselves.
std::string CreatePublicationSql(const std::string& publication,
                                 const std::vector<CatalogTable>& tables);

// Runs it, in the place of one that an earlier attempt left: that may know
// other tables. kAborted: a table stayed locked (who holds it, is told).
absl::Status CreatePublication(PgConnection& source,
                               const std::string& publication,
                               const std::vector<CatalogTable>& tables,
                               absl::Duration lock_wait = absl::Seconds(10));

// Each exists on the source and publishes at least one table: a missing one
// would stop the stream at its first change, or from PostgreSQL 18 on silently
// send nothing.
absl::Status CheckPublications(PgConnection& source,
                               const std::vector<std::string>& publications);

// The publication that the operator named carries everything that the tables'
// changes need: every table that is copied, all rows and columns, all
// operations, each partition as itself. kFailedPrecondition says what is not.
absl::Status CheckPublicationCovers(PgConnection& source,
                                    const std::string& publication,
                                    const std::vector<CatalogTable>& tables);

}  // namespace walferry

#endif  // ENGINE_CATALOG_PUBLICATION_H_
