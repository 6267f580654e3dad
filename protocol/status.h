#ifndef PROTOCOL_STATUS_H_
#define PROTOCOL_STATUS_H_

// How errors travel: absl::Status with a code that says who must act, a text
// that says what and where, and two payloads: SQLSTATE and a hint.
//
//   kInvalidArgument, kFailedPrecondition, kPermissionDenied, kNotFound,
//   kAlreadyExists    the operator must act
//   kUnavailable      reconnect and go on
//   kAborted          repeat the transaction
//   kResourceExhausted  wait, then retry
//   kDeadlineExceeded   a wait of ours ran out
//   kCancelled        someone asked us to stop
//   kDataLoss         malformed bytes from a peer: stop
//   kInternal         a bug of ours

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// The same status with "`context`: " before its text; payloads are kept.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

// The same status with a hint: one sentence about what a person can do now.
// An earlier hint is kept: the layer nearest to the fault knows best.
absl::Status WithHint(absl::Status status, absl::string_view hint);

// The same status, if it has a hint, with another one in its place.
absl::Status ReplaceHint(absl::Status status, absl::string_view hint);

// The hint, or "".
std::string HintOf(const absl::Status& status);

// The five characters of the server's SQLSTATE, or "" where the error is not
// the server's.
absl::Status WithSqlState(absl::Status status, absl::string_view sqlstate);
std::string SqlStateOf(const absl::Status& status);

}  // namespace walferry

#define WALFERRY_CONCAT_INNER(a, b) a##b
#define WALFERRY_CONCAT(a, b) WALFERRY_CONCAT_INNER(a, b)

// Returns from the enclosing function if `expression` is an error.
#define RETURN_IF_ERROR(expression)                                   \
  if (::absl::Status status_or_ok = (expression); !status_or_ok.ok()) \
  return status_or_ok

// ASSIGN_OR_RETURN(auto value, F()): the value of a StatusOr, or return its
// error.
#define ASSIGN_OR_RETURN(declaration, expression)                            \
  ASSIGN_OR_RETURN_INNER(WALFERRY_CONCAT(status_or_, __LINE__), declaration, \
                         expression)
#define ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                   \
  if (!temporary.ok()) return std::move(temporary).status();       \
  declaration = *std::move(temporary)

#endif  // PROTOCOL_STATUS_H_
