#ifndef APPLY_EXACT_APPLIER_H_
#define APPLY_EXACT_APPLIER_H_

// Applies change by change, in source order, with the rules of PostgreSQL's
// own apply worker: the exact path, and the fall-back of every faster one.

#include <memory>

#include "absl/base/attributes.h"
#include "apply/applier.h"
#include "apply/apply_session.h"

namespace walferry {

struct ExactApplierOptions {
  // Bytes of statements in flight before results are awaited.
  size_t pipeline_bytes = size_t{1} << 18;
};

// `session` outlives the applier, which is its only user meanwhile.
std::unique_ptr<Applier> MakeExactApplier(
    ApplySession& session ABSL_ATTRIBUTE_LIFETIME_BOUND,
    const ExactApplierOptions& options = {});

}  // namespace walferry

#endif  // APPLY_EXACT_APPLIER_H_
