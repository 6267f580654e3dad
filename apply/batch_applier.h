#ifndef APPLY_BATCH_APPLIER_H_
#define APPLY_BATCH_APPLIER_H_

// Applies batches through one session: in sets where that is exact, otherwise
// change by change.

#include <cstddef>
#include <memory>

#include "absl/base/attributes.h"
#include "apply/applier.h"
#include "apply/apply_session.h"
#include "apply/keys_in_flight.h"

namespace walferry {

struct BatchApplierOptions {
  // False: always change by change, in source order, with the rules of
  // PostgreSQL's own apply worker.
  bool sets = true;
  // Fewer changes of a batch are cheaper one by one.
  size_t min_set_changes = 16;
  // A batch of which more than one change in so many must be applied one by one
  // is applied so as a whole: each of them waits for the sets before it.
  size_t min_changes_per_apart = 16;
  // From so many rows on COPY is faster than INSERT, though it costs two round
  // trips: 2.2 against 3.0 us a row. More where the target is far away
  // (min_copy_rows.h).
  size_t min_copy_rows = 500;
  // A batch of which a smaller part can go ahead waits for its turn: sets are
  // the cheaper per change the larger they are.
  double min_share_ahead = 0.5;
  // False: the target is not asked whose values of unique keys new rows want
  // (taken_values.h); if they are another's, what is ahead is undone.
  bool ask_for_taken_values = true;
  // When what was ahead had to be undone, the next one, two, four ... batches
  // are not tried, but not more than so many.
  int longest_pause = 64;
  // Bytes of statements in flight before results are awaited: several sets, so
  // that a distant target has work while its answers travel.
  size_t pipeline_bytes = size_t{8} << 20;
};

// What sets cannot do is found out by doing: any error or unexpected row count
// rolls back to where the set began, and halves of its changes are tried, down
// to runs that are applied change by change. So only a change that the target
// does not take by itself is a conflict, and one such change does not make the
// rest of a batch slow.
//
// `session` outlives the applier, which is its only user meanwhile.
std::unique_ptr<Applier> MakeBatchApplier(
    ApplySession& session ABSL_ATTRIBUTE_LIFETIME_BOUND,
    const BatchApplierOptions& options = {});

// The same, for one of several that share a stream. `in_flight` is theirs
// together and outlives them; null: there is no other.
std::unique_ptr<AheadApplier> MakeAheadApplier(
    ApplySession& session ABSL_ATTRIBUTE_LIFETIME_BOUND,
    KeysInFlight* in_flight, const BatchApplierOptions& options = {});

}  // namespace walferry

#endif  // APPLY_BATCH_APPLIER_H_
