#ifndef ENGINE_SERVER_SERVER_EVENTS_H_
#define ENGINE_SERVER_SERVER_EVENTS_H_

// What a move of all databases tells: each database's events, and its own.

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/event.h"

namespace walferry {

// Receives events from any thread; calls never overlap in time.
class ServerEventSink {
 public:
  virtual ~ServerEventSink() = default;
  // `database`: "" for the move as a whole, whose phases are check, prepare
  // (roles and tablespaces), copy (the databases) and done.
  virtual void OnEvent(absl::string_view database, const Event& event) = 0;
};

// Thread-safe: lets one event pass at a time.
class SerialServerEvents : public ServerEventSink {
 public:
  explicit SerialServerEvents(ServerEventSink& events) : events_(events) {}

  void OnEvent(absl::string_view database, const Event& event) override {
    absl::MutexLock lock(&mutex_);
    events_.OnEvent(database, event);
  }

 private:
  absl::Mutex mutex_;
  ServerEventSink& events_ ABSL_GUARDED_BY(mutex_);
};

// How long a database was in a phase, in this run.
struct PhaseTime {
  Phase phase = Phase::kCheck;
  absl::Duration duration;
};

// The events of one database, or with "" of the whole. Used by one thread at a
// time.
class DatabaseEvents : public EventSink {
 public:
  DatabaseEvents(std::string database, ServerEventSink& events)
      : database_(std::move(database)), events_(events) {}

  void OnEvent(const Event& event) override;

  // Of the phases that have ended, in their order.
  const std::vector<PhaseTime>& times() const { return times_; }
  Phase phase() const { return phase_; }
  // Clients may work on the database, whether or not all of it is there.
  bool usable() const { return usable_; }

 private:
  const std::string database_;
  ServerEventSink& events_;
  std::vector<PhaseTime> times_;
  Phase phase_ = Phase::kCheck;
  bool usable_ = false;
};

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_EVENTS_H_
