#include "absl/strings/str_cat.h"
#include "bench/catchup/workload_kinds.h"

namespace walferry {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int,
                               filler char(88));
CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int,
                              filler char(84));
CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int,
                               filler char(84));
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int,
                              mtime timestamp, filler char(22));
ALTER TABLE pgbench_history REPLICA IDENTITY FULL;
INSERT INTO pgbench_branches SELECT i, 0 FROM generate_series(1, 10) i;
INSERT INTO pgbench_tellers SELECT i, (i - 1) / 10 + 1, 0
  FROM generate_series(1, 100) i;
INSERT INTO pgbench_accounts SELECT i, (i - 1) / 100000 + 1, 0, ''
  FROM generate_series(1, 1000000) i;
)sql";

constexpr char kScript[] = R"sql(
\set aid random(1, 1000000)
\set bid random(1, 10)
\set tid random(1, 100)
\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = :bid;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime)
  VALUES (:tid, :bid, :aid, :delta, CURRENT_TIMESTAMP);
END;
)sql";

}  // namespace

Workload TpcbWorkload(double scale) {
  const int transactions = Scaled(90000, scale);
  return {.name = "tpcb",
          .what = absl::StrCat(4 * transactions,
                               " pgbench transactions of 4 changes, 4 clients"),
          .schema = kSchema,
          .pgbench_script = kScript,
          .pgbench_transactions = transactions};
}

}  // namespace walferry
