#ifndef ENGINE_SCHEMA_DUMP_SCRIPT_H_
#define ENGINE_SCHEMA_DUMP_SCRIPT_H_

// The SQL script that `pg_restore --verbose --file=-` prints, taken apart into
// the archive's entries, so that each can be run when and where we want.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// One entry of the archive's table of contents.
struct DumpEntry {
  int dump_id = 0;  // Unique in its archive; another dump numbers anew.
  // Identity on the source: the catalog's OID (1259 pg_class) and the object's.
  // 0 for what is no object of its own (comments, attachments).
  uint32_t class_oid = 0;
  uint32_t oid = 0;
  // Dump ids, with repetitions; the first of a comment's or of privileges' is
  // the object they belong to.
  std::vector<int> dependencies;
  std::string type;    // "TABLE", "FK CONSTRAINT", "INDEX ATTACH", ...
  std::string schema;  // "" where it is in none.
  // The tag: "orders", "orders orders_pkey", "add(integer, integer)". Newlines
  // are spaces. For people, never for SQL.
  std::string name;
  // Complete: with ALTER ... OWNER TO, and the default_tablespace and
  // default_table_access_method that it counts on. In the encoding that the
  // preamble sets; "" where nothing is to be done.
  std::string sql;

  // "INDEX public.orders_idx": for messages and progress.
  std::string Display() const;
};

struct DumpScript {
  // The settings at its beginning, one statement each, in order. They must be
  // run before any entry's SQL is sent: client_encoding is among them.
  std::vector<std::string> preamble;
  // In the order in which pg_restore runs them.
  std::vector<DumpEntry> entries;
};

// Follows quotes, dollar quotes and comments, so that nothing inside an
// object's body is taken for the script's own lines. \restrict and \unrestrict
// with one and the same key are left out. kDataLoss, with the line's number:
// the script is cut off, has another psql command, or a header that can be
// read in two ways.
absl::StatusOr<DumpScript> ParseDumpScript(absl::string_view script);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_DUMP_SCRIPT_H_
