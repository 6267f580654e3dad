#ifndef ENGINE_ARCHIVE_RESTORE_ERRORS_H_
#define ENGINE_ARCHIVE_RESTORE_ERRORS_H_

// What pg_restore and psql complain of. They print no SQLSTATE, so errors are
// of one kind if their texts differ in names and numbers only.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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

  friend bool operator==(const RestoreErrorKind&,
                         const RestoreErrorKind&) = default;
};

// The message with "..." for what stands in quotes and N for numbers.
std::string ShapeOf(absl::string_view message);

// Reads stderr piece by piece.
class RestoreErrorReader {
 public:
  // Told of every error once its text is whole; may be empty.
  explicit RestoreErrorReader(std::function<void(const RestoreError&)> on_error)
      : on_error_(std::move(on_error)) {}

  void Add(absl::string_view piece);
  // All has been added.
  void Finish();

  // The most frequent first, then in order of appearance.
  std::vector<RestoreErrorKind> Kinds() const;
  int64_t count() const { return count_; }

 private:
  void TakeLine(absl::string_view line);
  void EndError();

  std::function<void(const RestoreError&)> on_error_;
  LineReader lines_;
  std::string object_;
  RestoreError error_;
  bool in_error_ = false;
  // The statement follows, which may be long and look like anything.
  bool in_statement_ = false;
  int64_t count_ = 0;
  std::vector<RestoreErrorKind> kinds_;
};

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_RESTORE_ERRORS_H_
