// Tells ThreadSanitizer what Abseil's locks order. Debian's Abseil is not
// instrumented, so that every use of an absl::Mutex looked like a race. The
// linker puts these in place of the functions (third_party/CMakeLists.txt);
// each calls the true one. Only what this project calls is here.

#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;
using absl::Time;

namespace {

// What happened before the release of `lock` is visible after its acquisition.
template <typename Wait>
auto Reacquired(void* lock, Wait wait) {
  __tsan_release(lock);
  const auto result = wait();
  __tsan_acquire(lock);
  return result;
}

// A condition is looked at under the lock, by whoever holds it then.
class UnderLock {
 public:
  UnderLock(Mutex* mutex, const Condition& condition)
      : mutex_(mutex), condition_(condition) {}

  bool Holds() const {
    __tsan_acquire(mutex_);
    const bool holds = condition_.Eval();
    __tsan_release(mutex_);
    return holds;
  }

 private:
  Mutex* const mutex_;
  const Condition& condition_;
};

}  // namespace

#define TRUE(symbol) __real_##symbol
#define OURS(symbol) __wrap_##symbol

extern "C" {

void TRUE(_ZN4absl7debian35Mutex4LockEv)(Mutex*);
void OURS(_ZN4absl7debian35Mutex4LockEv)(Mutex* mutex) {
  TRUE(_ZN4absl7debian35Mutex4LockEv)(mutex);
  __tsan_acquire(mutex);
}

void TRUE(_ZN4absl7debian35Mutex6UnlockEv)(Mutex*);
void OURS(_ZN4absl7debian35Mutex6UnlockEv)(Mutex* mutex) {
  __tsan_release(mutex);
  TRUE(_ZN4absl7debian35Mutex6UnlockEv)(mutex);
}

void TRUE(_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE)(Mutex*,
                                                          const Condition&);
void OURS(_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE)(
    Mutex* mutex, const Condition& condition) {
  const UnderLock ordered(mutex, condition);
  Reacquired(mutex, [&] {
    TRUE(_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE)
    (mutex, Condition(&ordered, &UnderLock::Holds));
    return true;
  });
}

bool TRUE(
    _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE)(
    Mutex*, const Condition&, Duration);
bool OURS(
    _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE)(
    Mutex* mutex, const Condition& condition, Duration timeout) {
  const UnderLock ordered(mutex, condition);
  return Reacquired(mutex, [&] {
    return TRUE(
        _ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE)(
        mutex, Condition(&ordered, &UnderLock::Holds), timeout);
  });
}

bool TRUE(
    _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE)(
    Mutex*, const Condition&, Time);
bool OURS(
    _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE)(
    Mutex* mutex, const Condition& condition, Time deadline) {
  const UnderLock ordered(mutex, condition);
  return Reacquired(mutex, [&] {
    return TRUE(
        _ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE)(
        mutex, Condition(&ordered, &UnderLock::Holds), deadline);
  });
}

void TRUE(_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE)(CondVar*, Mutex*);
void OURS(_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE)(CondVar* changed,
                                                      Mutex* mutex) {
  Reacquired(mutex, [&] {
    TRUE(_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE)(changed, mutex);
    return true;
  });
}

bool TRUE(_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE)(
    CondVar*, Mutex*, Time);
bool OURS(_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE)(
    CondVar* changed, Mutex* mutex, Time deadline) {
  return Reacquired(mutex, [&] {
    return TRUE(
        _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE)(
        changed, mutex, deadline);
  });
}

void TRUE(_ZN4absl7debian312Notification6NotifyEv)(Notification*);
void OURS(_ZN4absl7debian312Notification6NotifyEv)(Notification* notification) {
  __tsan_release(notification);
  TRUE(_ZN4absl7debian312Notification6NotifyEv)(notification);
}

void TRUE(_ZNK4absl7debian312Notification19WaitForNotificationEv)(
    Notification*);
void OURS(_ZNK4absl7debian312Notification19WaitForNotificationEv)(
    Notification* notification) {
  TRUE(_ZNK4absl7debian312Notification19WaitForNotificationEv)(notification);
  __tsan_acquire(notification);
}

bool TRUE(
    _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE)(
    Notification*, Duration);
bool OURS(
    _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE)(
    Notification* notification, Duration timeout) {
  const bool notified = TRUE(
      _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE)(
      notification, timeout);
  if (notified) __tsan_acquire(notification);
  return notified;
}

}  // extern "C"
