#ifndef ENGINE_VERIFY_REPAIR_SINK_H_
#define ENGINE_VERIFY_REPAIR_SINK_H_

// Where the statements of a repair go.

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "engine/verify/verification.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Takes statements in their order.
class RepairSink {
 public:
  virtual ~RepairSink() = default;
  virtual absl::Status Take(std::string sql) = 0;
};

// Runs them, many in one message. The session outlives it.
class RunningSink : public RepairSink {
 public:
  explicit RunningSink(PgConnection& target) : target_(target) {}

  absl::Status Take(std::string sql) override;
  // What was taken has been run then.
  absl::Status Flush();

 private:
  PgConnection& target_;
  std::string batch_;
};

// Writes them into the report of a dry run, as long as there is room.
class NotingSink : public RepairSink {
 public:
  explicit NotingSink(RepairReport& report) : report_(report) {}

  absl::Status Take(std::string sql) override;

 private:
  RepairReport& report_;
  size_t bytes_ = 0;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_REPAIR_SINK_H_
