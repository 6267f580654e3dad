#ifndef ENGINE_ARCHIVE_RESTORE_ERRORS_H_
#define ENGINE_ARCHIVE_RESTORE_ERRORS_H_

// What pg_restore and psql complain of. The programs' own words are English,
// as they run with LC_ALL=C, but the server's are of its lc_messages: nothing
// here depends on those. Errors are of one kind if their texts differ in names
// and numbers only, as pg_restore prints no SQLSTATE.
//
// psql is to run with --echo-errors and VERBOSITY=verbose: then a server's
// message has its SQLSTATE, and the statement follows if it was an error.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/archive/line_reader.h"

namespace walferry {

struct RestoreError {
  // "ALTER TABLE public.t OWNER TO shop", the statement's beginning; or "TABLE
  // public t shop", the archive's entry; or "line 12" of a script; or "".
  std::string object;
  std::string message;  // The server's, with its detail.

  std::string Text() const;

  friend bool operator==(const RestoreError&, const RestoreError&) = default;
};

struct RestoreErrorKind {
  std::string shape;  // 'role "..." does not exist'.
  int64_t count = 0;
  RestoreError first;

  // The error if it is the only one, or "role "..." does not exist, first of
  // TABLE public t shop".
  std::string Text() const;

  friend bool operator==(const RestoreErrorKind&,
                         const RestoreErrorKind&) = default;
};

// The message with "..." for what stands in quotes and N for numbers.
std::string ShapeOf(absl::string_view message);

// Of one run of a program.
struct RestoreErrorCounts {
  // All that were read, also those that do not matter.
  int64_t read = 0;
  // That pg_restore says it has gone on after. nullopt: it does not say, or has
  // not come to its end.
  std::optional<int64_t> ignored;

  friend bool operator==(const RestoreErrorCounts&,
                         const RestoreErrorCounts&) = default;
};

// Whether pg_restore has counted as we have. Over several jobs it counts the
// entries that had errors and not the errors. kInternal: it knows of one that
// we do not.
absl::Status CompareErrorCounts(const RestoreErrorCounts& counts, int exit_code,
                                int jobs);

// Reads stderr piece by piece.
class RestoreErrorReader {
 public:
  // Told of what a program complains of, once its text is whole; both may be
  // empty. Warnings of the server are among psql's only: pg_restore keeps them
  // to itself.
  struct Listener {
    std::function<void(const RestoreError&)> on_error;
    std::function<void(const std::string&)> on_warning;
  };

  // psql's exit code says nothing of errors that it went on after: what it says
  // is an error unless it is known to be none.
  enum class Program { kPgRestore, kPsql };

  RestoreErrorReader(Program program, Listener listener)
      : program_(program), listener_(std::move(listener)) {}

  // psql was given a script without its first lines, which count.
  void SkipLines(int lines) { skipped_lines_ = lines; }

  void Add(absl::string_view piece);
  // All of a run has been added; another one may follow.
  RestoreErrorCounts Finish();

  // The most frequent first, then in order of appearance.
  std::vector<RestoreErrorKind> Kinds() const;
  // Those that matter, of all runs.
  int64_t count() const { return count_; }

 private:
  // kMaybe: psql's, of a severity whose name is in any language. kMaybeWarning:
  // it is a warning unless a statement follows.
  enum class Open { kNothing, kError, kMaybe, kMaybeWarning };

  void TakeLine(absl::string_view line);
  void TakeOfPsql(absl::string_view line);
  void TakeOther(absl::string_view line);
  void Begin(Open open, RestoreError error);
  void BeginStatement(absl::string_view statement);
  // What was open is whole. `statement` is its own, if it was told.
  void End(absl::string_view statement = "");

  const Program program_;
  const Listener listener_;
  int skipped_lines_ = 0;
  LineReader lines_;
  std::string object_;
  RestoreError error_;
  Open open_ = Open::kNothing;
  // The statement follows, or a message that is no error: they may be long and
  // look like anything.
  bool in_other_text_ = false;
  RestoreErrorCounts counts_;
  int64_t count_ = 0;
  std::vector<RestoreErrorKind> kinds_;
};

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_RESTORE_ERRORS_H_
