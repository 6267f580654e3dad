#ifndef ENGINE_LEDGER_VERIFY_NOTES_H_
#define ENGINE_LEDGER_VERIFY_NOTES_H_

// What a comparison of two databases has found equal, noted in the ledger's
// schema on the target, so that a later run goes on where it was interrupted.
//
// The table stands by itself: a comparison needs no migration. It is there as
// long as a comparison is not done.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/ledger/ledger_sql.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

// Databases that are in use do not stay as they were found.
inline constexpr absl::Duration kNotesLast = absl::Hours(24);

// A table in ranges of its key, each but the last with the key it ends with.
struct VerifyNote {
  std::vector<std::vector<std::string>> boundaries;
  // By range: its rows, if it was equal not longer ago than kNotesLast.
  std::vector<std::optional<int64_t>> equal_rows;
  // By range: when that was noted, "2026-01-02 03:04:05 UTC".
  std::vector<std::string> noted_at;
};

// Over one session of the target. Used by one thread at a time.
class VerifyNotes {
 public:
  // `key` is the comparison's name, as a migration's.
  VerifyNotes(PgConnection connection, LedgerKey key);

  // As the sessions do that read names and keys (PrepareToCompare).
  absl::Status SpeakUtf8();
  // Event triggers of the target's own, which would fire for the notes' table
  // and may write rows that are compared. Takes a right that a role may lack.
  absl::Status KeepTriggersQuiet();

  // Takes the name for this session. kFailedPrecondition: another comparison
  // has it, and does not let go of it soon.
  absl::Status Lock();

  // Creates the table, where it is missing, and its schema.
  absl::Status Create();

  // nullopt: nothing is noted of the table, or by another `signature`: what was
  // compared, and how. `key_columns`: of a boundary.
  absl::StatusOr<std::optional<VerifyNote>> Find(const QualifiedName& table,
                                                 const std::string& signature,
                                                 size_t key_columns);

  // Forgets what was noted of the table and notes its ranges.
  absl::Status Begin(const QualifiedName& table, const std::string& signature,
                     const std::vector<std::vector<std::string>>& boundaries);
  // Of the ranges that were found or noted before. kAborted: they are not there
  // any more, or are others.
  absl::Status SetEqual(const QualifiedName& table, size_t range, int64_t rows);

  absl::Status Forget();

 private:
  struct Noted {
    std::string signature;
    std::vector<std::vector<std::string>> boundaries;
  };

  std::string Of(const QualifiedName& table) const;

  PgConnection connection_;
  const LedgerKey key_;
  const std::string table_;
  absl::flat_hash_map<QualifiedName, Noted> noted_;
};

// Removes the notes of that name, and with the last ones the table, and the
// schema if nothing else is in it. Whether there were any.
absl::StatusOr<bool> ForgetVerifyNotes(PgConnection& target,
                                       const LedgerKey& key);

}  // namespace walferry

#endif  // ENGINE_LEDGER_VERIFY_NOTES_H_
