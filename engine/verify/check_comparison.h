#ifndef ENGINE_VERIFY_CHECK_COMPARISON_H_
#define ENGINE_VERIFY_CHECK_COMPARISON_H_

// Asks both sides the operator's own questions.

#include "absl/status/statusor.h"
#include "engine/archive/sql_check.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/verification.h"

namespace walferry {

// The answers must be the same text, or numbers as near as the check's
// tolerance allows; NULL is as NULL, and as no text. What the check expects
// besides must be true of both. A query that fails on one side makes them
// different, and on both sides unknown; an error is of the sessions.
absl::StatusOr<CheckVerdict> CompareAnswers(SessionPair& sessions,
                                            const SqlCheck& check);

}  // namespace walferry

#endif  // ENGINE_VERIFY_CHECK_COMPARISON_H_
