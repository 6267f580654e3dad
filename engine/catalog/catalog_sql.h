#ifndef ENGINE_CATALOG_CATALOG_SQL_H_
#define ENGINE_CATALOG_CATALOG_SQL_H_

// The queries that ReadCatalog runs, right for servers of version 10 to 18;
// some are put together for the server's version (server_version()).
// They expect an empty search_path: format_type() then qualifies what is not
// built in, and unqualified names are pg_catalog's.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/catalog/catalog.h"

namespace walferry {

// Every relation outside of the system schemas, of any kind but indexes:
// oid, schema, name, relkind, relpersistence, relispartition, relreplident,
// relispopulated, relfilenode, row estimate, whether an extension owns it,
// whether that one marks it as configuration, and with which condition.
std::string CatalogRelationsSql();
// Partition, its parent.
std::string CatalogPartitionParentsSql();
// Name of each schema that is not the system's.
std::string CatalogSchemasSql();
// Columns, in order, of each index that can be a replica identity as the
// server sees it (RelationGetIndexList): table, whether it is the primary key,
// whether REPLICA IDENTITY USING INDEX names it, index name, column name.
std::string CatalogKeysSql(int version);
// By table and attnum: table, name, attnum, type oid, type, not null,
// attgenerated, attidentity.
std::string CatalogColumnsSql(int version);
// Table, bytes, blocks of the heap.
std::string CatalogSizesSql(const std::vector<CatalogTable>& tables,
                            int version);
// Sequence, owning table, owning column.
std::string CatalogSequenceOwnersSql();
// View of either kind, view of either kind that it reads.
std::string CatalogViewReadsSql();
// Materialized views that read what is delayed (an SQL array of OIDs), directly
// or through other views, or call functions of users, whose reading nobody
// knows.
std::string CatalogDelayedReadersSql(absl::string_view delayed);
// Foreign keys from or to these relations (an SQL array of OIDs): oid, table,
// referenced table.
std::string CatalogForeignKeysSql(absl::string_view relations);

}  // namespace walferry

#endif  // ENGINE_CATALOG_CATALOG_SQL_H_
