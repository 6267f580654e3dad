#ifndef ENGINE_VERIFY_BOTH_SIDES_H_
#define ENGINE_VERIFY_BOTH_SIDES_H_

// One question to two servers, which work on it at the same time.

#include <string>

#include "absl/status/statusor.h"
#include "engine/verify/snapshot_pair.h"
#include "protocol/pg_result.h"

namespace walferry {

struct BothAnswers {
  PgResult source;
  PgResult target;
};

// An error says on which side it was. The sessions are of no use then: their
// transactions have failed.
absl::StatusOr<BothAnswers> AskBoth(SessionPair& sessions,
                                    const std::string& source_sql,
                                    const std::string& target_sql);

}  // namespace walferry

#endif  // ENGINE_VERIFY_BOTH_SIDES_H_
