#ifndef ENGINE_VERIFY_TABLE_PAIRS_H_
#define ENGINE_VERIFY_TABLE_PAIRS_H_

// Which table is compared with which, and by what.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/scope.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/verification.h"
#include "protocol/quoting.h"

namespace walferry {

// One side of a table.
struct TableSide {
  // What holds its rows: itself, or partitions.
  struct Storage {
    uint32_t oid = 0;
    QualifiedName name;
  };
  std::vector<Storage> storage;
  // Of its tables, their OIDs and files: others are other rows, maybe.
  std::string files;
  std::string from;  // What stands behind FROM: ONLY "public"."t".
  // The row's columns in SQL, in one order on both sides: as they are compared,
  std::vector<std::string> columns;
  // as text, ...
  std::vector<std::string> texts;
  // ... and so that the text of NULL is no value's.
  std::vector<std::string> marked_texts;
  std::vector<std::string> key;
  std::vector<std::string> key_texts;
  int64_t bytes = 0;
  int64_t blocks = 0;  // 0: it cannot be read in block ranges.
  double estimate = -1;
};

struct TablePair {
  QualifiedName name;
  // A partitioned table as a whole: its rows are in tables of their own.
  bool whole_tree = false;
  std::vector<std::string> columns;  // Names of those that both sides have.
  std::vector<std::string> key;      // Likewise; empty: rows have no name.
  // Both sides have an index of the key, and its order is the same.
  bool ordered = false;
  bool unlogged = false;  // On the source, or a part of it.
  std::string condition;  // Of the rows that count, in SQL; "": all.
  TableSide source, target;
  // What differs before any row is looked at, as a sentence; "": nothing.
  std::string difference;
};

struct TablePairs {
  std::vector<TablePair> pairs;           // The largest first.
  std::vector<TableVerdict> single;       // Tables that one side has.
  std::vector<std::string> remarks;       // What is not compared.
  int64_t sequences = 0;                  // In scope, on the source.
  VerifyShare share = VerifyShare::kAll;  // That it came to.
};

// Of both snapshots. `ledger_schema` is walferry's own.
absl::StatusOr<TablePairs> FindTablePairs(SessionPair& sessions,
                                          const Scope& scope, VerifyShare share,
                                          const std::string& ledger_schema);

// Pieces of SQL: the hash of a row, a bigint, and its key as text.
std::string RowHashSql(RowHash hash, const TableSide& side);
std::string KeyTextSql(const TableSide& side);

}  // namespace walferry

#endif  // ENGINE_VERIFY_TABLE_PAIRS_H_
