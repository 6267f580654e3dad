#ifndef BENCH_CATCHUP_STREAM_OPTIONS_H_
#define BENCH_CATCHUP_STREAM_OPTIONS_H_

// How a slot's stream is asked for. The floor and the subscription are asked
// for it as walferry asks, or else they would be measured with another stream.

#include "protocol/replication_stream.h"

namespace walferry {

struct StreamOptions {
  int protocol_version = 2;
  Streaming streaming = Streaming::kOn;
  bool binary = false;
};

}  // namespace walferry

#endif  // BENCH_CATCHUP_STREAM_OPTIONS_H_
