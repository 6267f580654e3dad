#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "bench/catchup/workload_kinds.h"

namespace walferry {
namespace {

constexpr int kRows = 100000;
constexpr int kSwapsOfTransaction = 100;

constexpr char kSchema[] = R"sql(
CREATE TABLE pairs (id bigint PRIMARY KEY, u bigint UNIQUE NOT NULL, t text);
INSERT INTO pairs SELECT i, i, md5(i::text) FROM generate_series(1, $0) i;
ANALYZE pairs;
)sql";

// `b` is any row but `a`; the spare value is negative, as no other one is.
constexpr char kSwaps[] = R"sql(
DO $$$$DECLARE a bigint; b bigint; of_a bigint; of_b bigint; BEGIN
PERFORM setseed(0.5);
FOR transaction IN 1..$0 LOOP
  FOR swap IN 1..$2 LOOP
    a := 1 + floor(random() * $1);
    b := 1 + (a + floor(random() * ($1 - 1))::bigint) % $1;
    SELECT u INTO of_a FROM pairs WHERE id = a;
    SELECT u INTO of_b FROM pairs WHERE id = b;
    UPDATE pairs SET u = -a WHERE id = a;
    UPDATE pairs SET u = of_a WHERE id = b;
    UPDATE pairs SET u = of_b WHERE id = a;
  END LOOP;
  COMMIT;
END LOOP; END$$$$
)sql";

}  // namespace

Workload UniqueWorkload(double scale) {
  const int transactions = Scaled(5000, scale);
  return {
      .name = "unique",
      .what = absl::StrCat(3 * transactions * kSwapsOfTransaction,
                           " updates that swap a secondary unique key "
                           "between two rows, ",
                           kSwapsOfTransaction, " swaps in each transaction"),
      .schema = absl::Substitute(kSchema, kRows),
      .sessions = {
          absl::Substitute(kSwaps, transactions, kRows, kSwapsOfTransaction)}};
}

}  // namespace walferry
