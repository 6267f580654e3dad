#ifndef ENGINE_CONNECT_OLD_SERVERS_H_
#define ENGINE_CONNECT_OLD_SERVERS_H_

// What older servers call by another name, or lack: a piece of SQL for each.
//
// An offline source may be as old as PostgreSQL 10. Queries that are asked of
// it take these from here, by PgConnection::server_version(), and use nothing
// else that came later. The pieces are unqualified: the search_path is empty.

#include "absl/strings/string_view.h"

namespace walferry {

inline constexpr int kOldestOfflineSource = 10;
inline constexpr int kOldestOnlineSource = 14;

// pg_attribute.attgenerated of `a` (12).
absl::string_view GeneratedSql(int server_version);
// Of index `i`: how many of its columns are its key; INCLUDE came with 11.
absl::string_view KeyColumnsSql(int server_version);
// Constraint `k` stands for itself, not for a partition's part of another one
// (11; before that no constraint had parts).
absl::string_view NotInheritedSql(int server_version);
// The constraint that `k` is a partition's part of, or 0 (11).
absl::string_view ParentConstraintSql(int server_version);
// pg_proc.prokind of `p` (11).
absl::string_view RoutineKindSql(int server_version);
// The access method's name of table `c`, with pg_am joined as `m` (12; before
// that all tables were heaps).
absl::string_view TableMethodSql(int server_version);
// Since when lock `l` is waited for; NULL where that is not known (14).
absl::string_view WaitStartSql(int server_version);

// A range of a table's blocks is read without reading the others (14).
bool HasTidRangeScan(int server_version);

}  // namespace walferry

#endif  // ENGINE_CONNECT_OLD_SERVERS_H_
