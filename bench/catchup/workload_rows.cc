#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/substitute.h"
#include "bench/catchup/workload_kinds.h"

namespace walferry {
namespace {

constexpr char kTable[] = R"sql(
CREATE TABLE rows (id bigint PRIMARY KEY, n int, t text, at timestamptz,
                   amount numeric);
)sql";

constexpr char kInsert[] = R"sql(
INSERT INTO rows
SELECT i, i % 1000, md5(i::text) || md5((i + 1)::text),
       '2026-01-01'::timestamptz + i * interval '1 second', i / 7.0
FROM generate_series($0, $1) i;
)sql";

std::string TableOf(int rows) {
  return absl::StrCat(kTable, absl::Substitute(kInsert, "1", rows),
                      "ANALYZE rows;");
}

// `statement` for k = 0, 1, ..., each in a transaction of its own.
std::string Transactions(int transactions, absl::string_view statement) {
  return absl::StrCat(
      "DO $$ BEGIN\n"
      // One look into the index for each key, whatever the planner thinks.
      "PERFORM set_config('enable_hashjoin', 'off', false),\n"
      "        set_config('enable_mergejoin', 'off', false);\n"
      "FOR k IN 0..",
      transactions - 1, " LOOP\n", statement, "COMMIT; END LOOP; END $$");
}

// 1,000 keys of `rows`, far from each other. 7919 is a prime: each key has its
// turn once.
constexpr char kThousand[] =
    "(SELECT i::bigint * 7919 % $0 + 1 AS id "
    "FROM generate_series(k * 1000, k * 1000 + 999) i) AS touched";

}  // namespace

Workload InsertWorkload(double scale) {
  const int transactions = Scaled(2000, scale);
  return {.name = "insert",
          .what = absl::StrCat(transactions * 1000,
                               " inserts of 5 columns, 1,000 in each "
                               "transaction"),
          .schema = kTable,
          .sessions = {Transactions(
              transactions,
              absl::Substitute(kInsert, "k * 1000 + 1", "k * 1000 + 1000"))}};
}

Workload UpdateWorkload(double scale) {
  const int transactions = Scaled(800, scale);
  const int rows = transactions * 1000;
  return {.name = "update",
          .what = absl::StrCat(rows,
                               " updates by key of 3 of 5 columns, 1,000 in "
                               "each transaction"),
          .schema = TableOf(rows),
          .sessions = {Transactions(
              transactions,
              absl::StrCat("UPDATE rows SET n = n + 1, amount = amount + 0.5, "
                           "at = at + interval '1 day' FROM ",
                           absl::Substitute(kThousand, rows),
                           " WHERE rows.id = touched.id;\n"))}};
}

Workload DeleteWorkload(double scale) {
  const int transactions = Scaled(2000, scale);
  const int rows = transactions * 1000;
  return {
      .name = "delete",
      .what = absl::StrCat(rows, " deletes by key, 1,000 in each transaction"),
      .schema = TableOf(rows),
      .sessions = {Transactions(
          transactions, absl::StrCat("DELETE FROM rows USING ",
                                     absl::Substitute(kThousand, rows),
                                     " WHERE rows.id = touched.id;\n"))}};
}

Workload BigTransactionWorkload(double scale) {
  const int rows = Scaled(1000000, scale);
  return {.name = "bigtx",
          .what = absl::StrCat(rows, " inserts of 5 columns, one transaction"),
          .schema = kTable,
          .sessions = {absl::Substitute(kInsert, "1", rows)}};
}

Workload HotWorkload(double scale) {
  const int transactions = Scaled(1500, scale);
  return {.name = "hot",
          .what = absl::StrCat("the same 100 rows, ", transactions * 10,
                               " updates of each, 1,000 updates in each "
                               "transaction"),
          .schema = TableOf(100),
          .sessions = {Transactions(
              transactions,
              "FOR round IN 1..10 LOOP\n"
              "UPDATE rows SET n = n + 1, t = md5(t) || md5(n::text);\n"
              "END LOOP;\n")}};
}

}  // namespace walferry
