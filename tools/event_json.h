#ifndef TOOLS_EVENT_JSON_H_
#define TOOLS_EVENT_JSON_H_

// Events as JSON lines: `--events`. docs/events.md documents every field; a
// test holds the two together.

#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/event.h"
#include "tools/redaction.h"
#include "tools/verify_account.h"

namespace walferry {

// The event as one line without its end. `phase`: the one that runs, for
// events that do not say themselves. `database`: of a move of all databases the
// one that it is about, or "" for the whole.
std::string EventToJson(const Event& event, Phase phase, absl::Time time,
                        const Redactor& redactor,
                        std::optional<absl::string_view> database = {});

// The "compared" event as such a line.
std::string ComparisonToJson(const VerifyAccount& account, absl::Time time,
                             const Redactor& redactor);

// The phase that runs once `event` has been seen after `phase`.
Phase PhaseAfter(const Event& event, Phase phase);

// Writes each event as a line and flushes it. A line that cannot be written
// does not stop the migration: status() keeps the first failure and nothing
// more is written.
class EventWriter : public EventSink {
 public:
  // `now` is asked once per event. `first_phase`: of events that come before
  // one names a phase.
  EventWriter(std::ostream& out, const Redactor& redactor,
              std::function<absl::Time()> now,
              Phase first_phase = Phase::kCheck);

  void OnEvent(const Event& event) override { Write({}, event); }
  // As in EventToJson.
  void Write(std::optional<absl::string_view> database, const Event& event);
  // The end of a comparison that came to one: "compared".
  void WriteComparison(const VerifyAccount& account);
  const absl::Status& status() const { return status_; }

 private:
  void WriteLine(absl::string_view line);

  std::ostream& out_;
  const Redactor& redactor_;
  std::function<absl::Time()> now_;
  const Phase first_phase_;
  // Of each database; of a migration of one under "".
  std::map<std::string, Phase, std::less<>> phases_;
  absl::Status status_;
};

}  // namespace walferry

#endif  // TOOLS_EVENT_JSON_H_
