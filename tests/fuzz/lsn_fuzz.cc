#include "protocol/lsn.h"

#include "tests/fuzz/invariant.h"

using namespace walferry;  // NOLINT: one file, one entry point.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::StatusOr<Lsn> lsn = Lsn::Parse(BytesOf(data, size));
  if (!lsn.ok()) return 0;
  Require(size >= 3 && size <= 17, "an LSN has 3 to 17 characters");
  Require(*Lsn::Parse(lsn->ToString()) == *lsn, "Parse inverts ToString");
  return 0;
}
