#include "bench/catchup/workload.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace walferry {
namespace {

constexpr char kPgbenchSchema[] = R"sql(
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

// pgbench's own "TPC-B (sort of)", at scale 10.
constexpr char kTpcb[] = R"sql(
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

constexpr char kRowsSchema[] = R"sql(
CREATE TABLE rows (id bigint PRIMARY KEY, n int, t text, at timestamptz,
                   amount numeric);
)sql";

// `rows` rows, 1,000 in each transaction.
std::string InsertRows(int rows) {
  return absl::Substitute(
      "DO $$$$BEGIN FOR k IN 0..$0 LOOP "
      "INSERT INTO rows SELECT i, i % 1000, md5(i::text) || md5((i + 1)::text),"
      " '2026-01-01'::timestamptz + i * interval '1 second', i / 7.0 "
      "FROM generate_series(k * 1000 + 1, k * 1000 + 1000) i; COMMIT; "
      "END LOOP; END$$$$",
      rows / 1000 - 1);
}

}  // namespace

std::vector<Workload> Workloads(double scale) {
  const int transactions = static_cast<int>(50000 * scale);
  const int rows = static_cast<int>(1000 * scale) * 1000;
  return {
      {.name = "tpcb",
       .what = absl::StrCat(4 * transactions,
                            " pgbench transactions of 4 changes, 4 clients"),
       .schema = kPgbenchSchema,
       .pgbench_script = kTpcb,
       .pgbench_transactions = transactions},
      {.name = "insert",
       .what = absl::StrCat(rows,
                            " inserts of 5 columns, 1,000 in each "
                            "transaction"),
       .schema = kRowsSchema,
       .sql = InsertRows(rows)},
  };
}

}  // namespace walferry
