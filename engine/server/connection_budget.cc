#include "engine/server/connection_budget.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// See PeakConnections.
constexpr int kOfTheRunOnTarget = 1;
constexpr int kOfReadingOnSource = 3;
constexpr int kOfReadingOnTarget = 2;
constexpr int kOfBuildingOnTarget = 1;
constexpr int kOfAnyOther = 1;
constexpr int kOfComparingOnSource = 1;
constexpr int kOfComparingOnTarget = 2;
constexpr int kWithSnapshotOnSource = 3;
constexpr int kOfFollowingOnSource = 2;
// Snapshots that the follower takes, and who asks it for them.
constexpr int kOfMeetingOnSource = 1;
constexpr int kOfMeetingOnTarget = 2;

// A state that so many databases may be in, at so many connections each.
struct State {
  int limit = 0;
  int cost = 0;
};

int PeakOf(int databases, std::vector<State> states) {
  std::sort(states.begin(), states.end(),
            [](const State& a, const State& b) { return a.cost > b.cost; });
  int peak = 0;
  for (const State& state : states) {
    const int taken = std::min(databases, state.limit);
    peak += taken * state.cost;
    databases -= taken;
  }
  return peak;
}

// Of an online one, and so of any of them at its end.
int FollowingOnTarget(const ServerJobs& jobs) {
  return 1 + std::max(jobs.apply_jobs + 1, jobs.index_jobs);
}

int NeedOf(Side side, const ServerJobs& jobs) {
  const PeakConnections peak = PeakConnectionsOf(jobs);
  return side == Side::kSource ? peak.source : peak.target;
}

struct Knob {
  absl::string_view option;
  int ServerJobs::*value;
};

// From the one that costs the least speed.
constexpr Knob kKnobs[] = {
    {"--verify-concurrency", &ServerJobs::verify_parallel},
    {"--restore-parallel", &ServerJobs::restore_parallel},
    {"--dump-parallel", &ServerJobs::dump_parallel},
    {"--max-parallel", &ServerJobs::max_parallel},
    {"--index-jobs", &ServerJobs::index_jobs},
    {"--jobs", &ServerJobs::jobs},
};

// The greatest smaller value of the knob with which all fits; 0: none.
int FittingValue(Side side, ServerJobs jobs, const Knob& knob, int room) {
  if (jobs.online && knob.value == &ServerJobs::max_parallel) return 0;
  for (int value = jobs.*knob.value - 1; value >= 1; --value) {
    jobs.*knob.value = value;
    if (NeedOf(side, jobs) <= room) return value;
  }
  return 0;
}

std::string Hint(Side side, const ServerJobs& jobs, int room) {
  std::vector<std::string> ways;
  for (const Knob& knob : kKnobs) {
    const int value = FittingValue(side, jobs, knob, room);
    if (value == 0) continue;
    ways.push_back(absl::StrCat("lower ", knob.option, " to ", value));
  }
  if (ways.empty()) {
    const ServerJobs least = {
        .verify_parallel = std::min(1, jobs.verify_parallel),
        .jobs = 1,
        .index_jobs = 1,
        .keep_snapshots = jobs.keep_snapshots,
        .fast_target = jobs.fast_target,
        .online = jobs.online};
    const int need = NeedOf(side, least);
    const absl::string_view way =
        jobs.online
            ? "move fewer databases, or lower --jobs, --index-jobs and "
              "--apply-jobs"
            : "lower --max-parallel to 1 and --jobs and --index-jobs with it";
    ways.push_back(
        need <= room
            ? std::string(way)
            : absl::StrCat("even one database with one job needs ", need));
  }
  ways.emplace_back("raise max_connections there or end other sessions");
  return absl::StrJoin(ways, ", or ");
}

std::string Describe(const ConnectionRoom& room) {
  std::string text = absl::StrCat("max_connections is ", room.max_connections,
                                  ", ", room.in_use, " are in use");
  if (room.reserved > 0) {
    absl::StrAppend(&text, ", ", room.reserved, " are reserved for others");
  }
  if (room.role_limit >= 0) {
    absl::StrAppend(&text, ", the role's own limit is ", room.role_limit,
                    " with ", room.role_in_use, " in use");
  }
  return text;
}

}  // namespace

PeakConnections PeakConnectionsOf(const ServerJobs& jobs) {
  const int all = jobs.max_parallel;
  const int other_on_source = jobs.online           ? kOfFollowingOnSource
                              : jobs.keep_snapshots ? kWithSnapshotOnSource
                                                    : kOfAnyOther;
  const int other_on_target =
      jobs.online ? FollowingOnTarget(jobs) : kOfAnyOther;
  int compared_on_source = kOfComparingOnSource + jobs.jobs;
  int compared_on_target = kOfComparingOnTarget + jobs.jobs;
  int of_the_run = kOfTheRunOnTarget;
  if (jobs.keep_snapshots || jobs.online) {
    compared_on_source += other_on_source;
    compared_on_target += other_on_target;
  }
  if (jobs.keep_snapshots && jobs.fast_target) ++of_the_run;
  if (jobs.online) {
    compared_on_source += kOfMeetingOnSource;
    compared_on_target += kOfMeetingOnTarget;
  }
  return {.source =
              PeakOf(all, {{jobs.dump_parallel, kOfReadingOnSource + jobs.jobs},
                           {jobs.verify_parallel, compared_on_source},
                           {all, other_on_source}}),
          .target =
              of_the_run +
              PeakOf(all, {{jobs.dump_parallel, kOfReadingOnTarget + jobs.jobs},
                           {jobs.restore_parallel,
                            kOfBuildingOnTarget + jobs.index_jobs},
                           {jobs.verify_parallel, compared_on_target},
                           {all, other_on_target}})};
}

int ConnectionRoom::Free() const {
  int free = max_connections - reserved - in_use;
  if (role_limit >= 0) free = std::min(free, role_limit - role_in_use);
  return std::max(free, 0);
}

absl::StatusOr<ConnectionRoom> ReadConnectionRoom(PgConnection& connection) {
  // Without the right to know what others do, those count as clients that are
  // in a database. reserved_connections came with PostgreSQL 16, and so did the
  // role that may take them.
  const absl::string_view may_take_reserved =
      connection.server_version() >= 160000
          ? "pg_catalog.pg_has_role('pg_use_reserved_connections', 'USAGE')"
          : "true";
  ASSIGN_OR_RETURN(
      const PgResult row,
      connection.Exec(absl::StrCat(
          "SELECT pg_catalog.current_setting('max_connections')::int, CASE "
          "WHEN r.rolsuper THEN 0 ELSE "
          "pg_catalog.current_setting('superuser_reserved_connections')::int + "
          "CASE WHEN ",
          may_take_reserved,
          " THEN 0 ELSE coalesce(pg_catalog.current_setting("
          "'reserved_connections', true), '0')::int END END, (SELECT "
          "pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.pid "
          "<> pg_catalog.pg_backend_pid() AND (a.backend_type = 'client "
          "backend' OR a.backend_type IS NULL AND a.datid IS NOT NULL)), "
          "CASE WHEN r.rolsuper THEN -1 ELSE r.rolconnlimit END, (SELECT "
          "pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.pid "
          "<> pg_catalog.pg_backend_pid() AND a.usename = session_user) FROM "
          "pg_catalog.pg_roles r WHERE r.rolname = session_user")));
  if (row.rows() != 1) {
    return absl::InternalError("session_user is not in pg_roles");
  }
  ConnectionRoom room;
  int column = 0;
  for (int* value : {&room.max_connections, &room.reserved, &room.in_use,
                     &room.role_limit, &room.role_in_use}) {
    ASSIGN_OR_RETURN(const int64_t number, row.Int64(0, column++));
    *value = static_cast<int>(number);
  }
  return room;
}

absl::Status CheckConnectionRoom(Side side, const ServerJobs& jobs,
                                 const ConnectionRoom& room) {
  const int need = NeedOf(side, jobs);
  const int free = room.Free();
  if (need <= free) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      need, " connections are needed at the peak, and ", free,
                      " are free: ", Describe(room))),
                  Hint(side, jobs, free));
}

}  // namespace walferry
