#ifndef TESTS_CLUSTER_STATUS_OF_MOVE_H_
#define TESTS_CLUSTER_STATUS_OF_MOVE_H_

// What `walferry status` would tell of a move of all databases.

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/server/server_status.h"
#include "engine/server/servers.h"
#include "tests/testing/pg_server.h"

namespace walferry {

// Of the move that the tests call "move". kNotFound: the target has none.
inline absl::StatusOr<ServerStatus> StatusOfMove(const PgServer& target) {
  Control control;
  absl::StatusOr<std::optional<ServerStatus>> status =
      RunServerStatus({.target = target.ConnInfo(), .name = "move"}, control);
  if (!status.ok()) return status.status();
  if (!status->has_value()) return absl::NotFoundError("there is no move");
  return **std::move(status);
}

}  // namespace walferry

#endif  // TESTS_CLUSTER_STATUS_OF_MOVE_H_
