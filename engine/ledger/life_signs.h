#ifndef ENGINE_LEDGER_LIFE_SIGNS_H_
#define ENGINE_LEDGER_LIFE_SIGNS_H_

// The heartbeat of the phases in which rows and schema are loaded.

#include "absl/time/time.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"

namespace walferry {

// Hands events on, and notes reports of progress in the ledger, at most one in
// each interval. Used by the thread that uses the ledger.
class LifeSigns : public EventSink {
 public:
  LifeSigns(EventSink& events, Ledger& ledger, absl::Duration interval)
      : events_(events), ledger_(ledger), interval_(interval) {}

  void OnEvent(const Event& event) override;

 private:
  EventSink& events_;
  Ledger& ledger_;
  const absl::Duration interval_;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace walferry

#endif  // ENGINE_LEDGER_LIFE_SIGNS_H_
