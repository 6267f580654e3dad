#ifndef ENGINE_VERIFY_ONLINE_VERIFY_H_
#define ENGINE_VERIFY_ONLINE_VERIFY_H_

// A comparison that another process's running migration makes possible.

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/verify/verification.h"

namespace walferry {

// RunVerify with options.online.
absl::StatusOr<VerifyReport> VerifyOnline(const VerifyOptions& options,
                                          Control& control, EventSink& events);

}  // namespace walferry

#endif  // ENGINE_VERIFY_ONLINE_VERIFY_H_
