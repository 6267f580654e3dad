#ifndef TESTS_TESTING_BUSY_TABLES_H_
#define TESTS_TESTING_BUSY_TABLES_H_

// Tables that are hard to copy while they change, and sessions that change
// them.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace walferry {

// The tables, without rows, and without constraints but for the identities on
// the source:
//   plain   integer key, rows move about
//   pair    composite key of odd text and a number
//   docs    key by index, values out of line, updates that leave them alone
//   made    generated columns, GENERATED ALWAYS identity
//   dense   fillfactor 30: updates within the page
// `keys` adds primary keys and identity indexes (the target has none then).
std::string BusyTablesSql();
std::string BusyKeysSql();
// Fills them with `rows` rows each.
std::string BusyRowsSql(int rows);

// Sessions that run small random transactions on these tables: inserts,
// updates, changes of keys, deletes, the same key deleted and inserted again,
// savepoints, rollbacks, prepared transactions, and vacuum in between.
class BusyWriters {
 public:
  // Each session has its own sequence of `seed`.
  BusyWriters(std::string conninfo, int sessions, uint64_t seed);
  // Stops.
  ~BusyWriters();

  // Ends each session after the transaction it is in; the first error that was
  // not to be expected.
  absl::Status Stop();

 private:
  void Write(uint64_t seed);

  const std::string conninfo_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_BUSY_TABLES_H_
