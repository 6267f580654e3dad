#ifndef TOOLS_EVENT_TEXT_H_
#define TOOLS_EVENT_TEXT_H_

// Events as sentences, for logs.

#include <string>

#include "engine/event.h"

namespace walferry {

// "12 of 40 tables, 1.2 GiB of 3.4 GiB (35%), 85 MiB/s, about 27 s left".
std::string ProgressText(const Progress& progress, double bytes_per_second);

// "lag 1.2 MiB, 0.8 s; applied 0/16B3748; 12,345 transactions, 88,000 changes".
std::string LagText(const Lag& lag);

// "waiting for writes on the source to stop: ...".
std::string WaitText(absl::string_view waiting_for);

// "the target can be used; 2 tables are still being loaded".
std::string UsableText(int64_t delayed_tables);

// Every fact of a conflict, one line each after the first.
std::string ConflictText(const ConflictFound& conflict);

// "tables" for the copy and a comparison, "steps" for schema and indexes.
absl::string_view ItemsNoun(Phase phase);

// Time for the rest at this rate; infinite if the total or the rate is unknown.
absl::Duration TimeLeft(int64_t done, int64_t total, double per_second);

}  // namespace walferry

#endif  // TOOLS_EVENT_TEXT_H_
