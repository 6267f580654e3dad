#include "bench/catchup/workload.h"

#include "bench/catchup/workload_kinds.h"

namespace walferry {

std::vector<Workload> Workloads(double scale) {
  return {TpcbWorkload(scale),           InsertWorkload(scale),
          UpdateWorkload(scale),         DeleteWorkload(scale),
          BigTransactionWorkload(scale), HotWorkload(scale),
          WideWorkload(scale),           UniqueWorkload(scale),
          MixedWorkload(scale)};
}

}  // namespace walferry
