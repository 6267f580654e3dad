#ifndef PROTOCOL_PG_RESULT_H_
#define PROTOCOL_PG_RESULT_H_

// The answer to one statement.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/lsn.h"
#include "protocol/server_message.h"

struct pg_result;

namespace walferry {

// Rows and command tag of a statement that succeeded. Views that it gives live
// as long as it does. Rows and columns count from 0; one out of range is a bug
// of the caller.
class PgResult {
 public:
  PgResult() = default;
  // Takes ownership.
  explicit PgResult(pg_result* result) : result_(result) {}

  int rows() const;
  int columns() const;
  bool IsNull(int row, int column) const;

  // The value's text, "" for NULL.
  absl::string_view Text(int row,
                         int column) const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  // Typed reads of catalog values; kInternal if the text is not of that form
  // or NULL.
  absl::StatusOr<int64_t> Int64(int row, int column) const;
  absl::StatusOr<Lsn> LsnAt(int row, int column) const;
  // 't' or 'f'. NULL reads as false.
  bool Bool(int row, int column) const;

  // Rows that the command touched: the number at the end of "UPDATE 3".
  int64_t affected_rows() const;
  absl::string_view command_tag() const ABSL_ATTRIBUTE_LIFETIME_BOUND;

  pg_result* get() const { return result_.get(); }

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

// The error that a failed result carries: code by SQLSTATE (the table is in
// pg_result.cc), text "message (SQLSTATE 23505): detail", payload SQLSTATE, the
// server's HINT as the hint.
absl::Status StatusOfResult(const pg_result* result);

// The same, of an error as it lies on the wire.
absl::Status StatusOfServerError(const ServerNotice& error);

absl::StatusCode StatusCodeForSqlState(absl::string_view sqlstate);

}  // namespace walferry

#endif  // PROTOCOL_PG_RESULT_H_
