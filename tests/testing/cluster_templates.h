#ifndef TESTS_TESTING_CLUSTER_TEMPLATES_H_
#define TESTS_TESTING_CLUSTER_TEMPLATES_H_

// Data directories as initdb makes them, made once for all test processes:
// initdb takes more time than most tests.

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace walferry {

class ClusterTemplates {
 public:
  // Makes the directory that it is given, as `user`.
  using MakeDirectory = std::function<absl::Status(const std::string&)>;

  // What is made is kept in `folder`, which other processes share; "": nothing
  // is kept.
  explicit ClusterTemplates(std::string folder) : folder_(std::move(folder)) {}

  // In the folder that WALFERRY_TEST_TEMPLATES names. Who made the folder
  // removes it (tools/test).
  static ClusterTemplates& OfProcess();

  // Makes `data_directory` as `make` would: a copy of what `make` made for the
  // same `key` in another process. Copies share a system identifier, by which
  // walferry tells source and target apart; so no template is used twice by one
  // object, and what is more than a few is made by `make`. `user` gets to own
  // the directory; "": ourselves.
  absl::Status Make(const std::string& key, const std::string& user,
                    const std::string& data_directory,
                    const MakeDirectory& make);

 private:
  int Number(const std::string& key);

  const std::string folder_;
  absl::Mutex mutex_;
  absl::flat_hash_map<std::string, int> used_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // TESTS_TESTING_CLUSTER_TEMPLATES_H_
