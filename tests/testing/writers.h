#ifndef TESTS_TESTING_WRITERS_H_
#define TESTS_TESTING_WRITERS_H_

// An application that keeps writing while a test moves its database.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace walferry {

// SQL that makes the tables the writers use: accounts (secondary unique key,
// TOAST), orders (identity, sequence), notes (no key, REPLICA IDENTITY FULL,
// duplicates), tags (composite key, truncated now and then).
std::string WriterSchemaSql(int accounts);

// `clients` threads, each a session that runs small random transactions:
// inserts, updates, deletes, key changes, rollbacks, savepoints. Reconnects
// when the server goes away. The seed is printed by whoever chooses it.
class Writers {
 public:
  Writers(std::string conninfo, int clients, uint64_t seed);
  // Stops.
  ~Writers();

  // Ends every session after the transaction it is in.
  void Stop();
  int64_t transactions() const { return transactions_.load(); }

 private:
  void Write(uint64_t seed);

  const std::string conninfo_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int64_t> transactions_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_WRITERS_H_
