#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/substitute.h"
#include "bench/catchup/workload_kinds.h"

namespace walferry {
namespace {

constexpr int kTables = 20;
constexpr int kSessions = 4;
// Keys that a session has in each table; it has twice as many unique values.
constexpr int kKeysOfSession = 25000;

std::string TableName(int table) {
  return absl::StrFormat("mixed_%02d", table);
}

// A tree of tables; the first one refers to itself.
std::string ParentName(int table) {
  return TableName(table == 0 ? 0 : (table - 1) / 3);
}

std::string TableSql(int table) {
  return absl::Substitute(
      "CREATE TABLE $0 (id bigint PRIMARY KEY, code bigint UNIQUE NOT NULL, "
      "parent bigint REFERENCES $1 ON DELETE $2, n int NOT NULL, t text);\n"
      "CREATE INDEX ON $0 (parent);\n"
      "INSERT INTO $0 SELECT i, i, NULL, 0, md5(i::text) "
      "FROM generate_series(0, $3) i WHERE i % 3 > 0;\n"
      "ANALYZE $0;\n",
      TableName(table), ParentName(table),
      table % 4 == 1 ? "CASCADE" : "SET NULL", kSessions * kKeysOfSession - 1);
}

// One change of a table. What is not there is inserted, so that about three
// quarters of the keys exist at any time.
constexpr char kChange[] = R"sql(
WHEN $2 THEN
  IF random() < 0.7 THEN
    UPDATE $0 SET n = n + 1, t = md5(wanted::text),
           code = CASE WHEN random() < 0.3 AND NOT EXISTS (
                    SELECT FROM $0 WHERE code = wanted) THEN wanted
                  ELSE code END
    WHERE id = key;
  ELSE
    DELETE FROM $0 WHERE id = key;
  END IF;
  IF NOT FOUND THEN
    INSERT INTO $0 SELECT key, wanted, (SELECT id FROM $1 WHERE id = referred),
           0, md5(key::text)
    ON CONFLICT DO NOTHING;
  END IF;
)sql";

// Keys and values of session s are those that leave s when divided by the
// number of sessions, also where foreign keys lead.
constexpr char kSession[] = R"sql(
DO $$$$DECLARE key bigint; wanted bigint; referred bigint; BEGIN
PERFORM setseed($0 / 10.0);
FOR transaction IN 1..$1 LOOP
  FOR change IN 1..1 + floor(random() * 10)::int LOOP
    key := $2 * floor(random() * $3) + $0;
    wanted := $2 * floor(random() * 2 * $3) + $0;
    referred := $2 * floor(random() * $3) + $0;
    CASE floor(random() * $4)::int
    $5
    END CASE;
  END LOOP;
  COMMIT;
END LOOP; END$$$$
)sql";

}  // namespace

Workload MixedWorkload(double scale) {
  const int transactions = Scaled(70000, scale);
  Workload workload = {
      .name = "mixed",
      .what = absl::StrCat(kSessions * transactions,
                           " transactions of 1 to 10 inserts, updates and "
                           "deletes over ",
                           kTables, " tables with unique and foreign keys, ",
                           kSessions, " sessions")};
  std::string changes;
  for (int table = 0; table < kTables; ++table) {
    absl::StrAppend(&workload.schema, TableSql(table));
    absl::StrAppend(&changes, absl::Substitute(kChange, TableName(table),
                                               ParentName(table), table));
  }
  for (int session = 0; session < kSessions; ++session) {
    workload.sessions.push_back(
        absl::Substitute(kSession, session, transactions, kSessions,
                         kKeysOfSession, kTables, changes));
  }
  return workload;
}

}  // namespace walferry
