#ifndef ENGINE_BATCH_SIZE_H_
#define ENGINE_BATCH_SIZE_H_

// How a stream's memory is divided.

#include <cstddef>

namespace walferry {

inline constexpr size_t kDefaultMemory = size_t{256} << 20;

// The most bytes that a batch may hold so that a stream of so many applying
// sessions stays within `memory` bytes. At once there is one batch in each
// session and as much again that the session makes of it (net changes,
// parameters of statements), one that waits and one that is being built; the
// program itself takes 32 MiB. Not in it: statements that are on their way to
// the target, up to BatchApplierOptions::pipeline_bytes for each session, and
// rows that are larger than a batch. At least 4 KiB, however little memory
// there is.
size_t BatchBytesFor(size_t memory, int apply_jobs);

}  // namespace walferry

#endif  // ENGINE_BATCH_SIZE_H_
