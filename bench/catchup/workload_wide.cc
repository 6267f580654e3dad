#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "bench/catchup/workload_kinds.h"

namespace walferry {
namespace {

constexpr int kRows = 40000;
constexpr int kUpdatesOfTransaction = 100;

constexpr char kSchema[] = R"sql(
CREATE TABLE wide (
  id bigint PRIMARY KEY, a int, b int, c bigint, d smallint, e numeric(12, 2),
  f numeric, g double precision, h boolean, i date, j timestamptz, k timestamp,
  l uuid, m text, n varchar(40), o char(8), p bytea, q int[], doc jsonb,
  body text);
ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
INSERT INTO wide
SELECT x, x, x % 100, x * 1000, x % 30000, x / 7.0, x / 13.0, x / 3.0,
       x % 2 = 0, date '2026-01-01' + x % 365,
       '2026-01-01'::timestamptz + x * interval '1 second',
       '2026-01-01'::timestamp + x * interval '1 second', md5(x::text)::uuid,
       md5(x::text), left(md5(x::text), 20), 'x', decode(md5(x::text), 'hex'),
       ARRAY[x, x + 1, x + 2],
       jsonb_build_object('id', x, 'name', md5(x::text), 'tags',
                          jsonb_build_array('red', 'green', x)),
       repeat(md5(x::text), 79)
FROM generate_series(1, $0) x;
ANALYZE wide;
)sql";

// Every row is met again after $1 updates; of each row's updates, one leaves
// the body alone and the next one does not.
constexpr char kUpdates[] = R"sql(
DO $$$$DECLARE x bigint; BEGIN
FOR transaction IN 0..$0 - 1 LOOP
  FOR change IN transaction * $2..transaction * $2 + $2 - 1 LOOP
    x := change::bigint * 7919 % $1 + 1;
    IF (change / $1 + x) % 2 = 0 THEN
      UPDATE wide SET a = a + 1, e = e + 1, j = j + interval '1 day',
             m = md5(m), doc = jsonb_set(doc, '{seen}', to_jsonb(change))
      WHERE id = x;
    ELSE
      UPDATE wide SET a = a + 1, e = e + 1, j = j + interval '1 day',
             m = md5(m), body = repeat(md5(change::text), 79)
      WHERE id = x;
    END IF;
  END LOOP;
  COMMIT;
END LOOP; END$$$$
)sql";

}  // namespace

Workload WideWorkload(double scale) {
  const int transactions = Scaled(4000, scale);
  return {.name = "wide",
          .what = absl::StrCat(transactions * kUpdatesOfTransaction,
                               " updates of 20 columns, half leave 2.5 kB "
                               "of external text alone, ",
                               kUpdatesOfTransaction, " in each transaction"),
          .schema = absl::Substitute(kSchema, kRows),
          .sessions = {absl::Substitute(kUpdates, transactions, kRows,
                                        kUpdatesOfTransaction)}};
}

}  // namespace walferry
