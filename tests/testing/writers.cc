#include "tests/testing/writers.h"

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "tests/testing/sql.h"

namespace walferry {
namespace {

// One random transaction. Its statements may fail (a unique key is taken): the
// transaction is rolled back then, as an application would.
class RandomTransaction {
 public:
  explicit RandomTransaction(std::mt19937_64& random) : random_(random) {}

  std::string Sql() {
    std::string sql = "BEGIN;";
    const int statements = Pick(1, 4);
    for (int i = 0; i < statements; ++i) {
      if (Pick(1, 10) == 1) {
        absl::StrAppend(&sql, "SAVEPOINT s;", Statement(), ";ROLLBACK TO s;");
      }
      absl::StrAppend(&sql, Statement(), ";");
    }
    absl::StrAppend(&sql, Pick(1, 20) == 1 ? "ROLLBACK" : "COMMIT");
    return sql;
  }

 private:
  int Pick(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random_);
  }
  int Account() { return Pick(1, 2000); }

  std::string Statement() {
    switch (Pick(1, 12)) {
      case 1:
        return absl::Substitute(
            "INSERT INTO accounts VALUES ($0, 'n$1', $2, repeat('x$3', $4)) "
            "ON CONFLICT DO NOTHING",
            Account(), Pick(1, 1000000), Pick(0, 999), Pick(0, 9),
            Pick(1, 3000));
      case 2:
        return absl::Substitute("DELETE FROM accounts WHERE id = $0",
                                Account());
      case 3:  // Key change.
        return absl::Substitute(
            "UPDATE accounts SET id = $0 WHERE id = $1 AND NOT EXISTS (SELECT "
            "FROM accounts WHERE id = $0)",
            Account(), Account());
      case 4:
        return absl::Substitute(
            "UPDATE accounts SET name = 'n$0' WHERE id = $1 AND NOT EXISTS "
            "(SELECT FROM accounts WHERE name = 'n$0')",
            Pick(1, 1000000), Account());
      case 5:
      case 6:  // Leaves a large value as it is.
        return absl::Substitute(
            "UPDATE accounts SET balance = balance + $0 WHERE id = $1",
            Pick(-50, 50), Account());
      case 7:
      case 8:
        return absl::Substitute(
            "INSERT INTO orders (account, amount) VALUES ($0, $1.25)",
            Account(), Pick(1, 500));
      case 9:
        return absl::Substitute("INSERT INTO notes VALUES ('same $0', NULL)",
                                Pick(1, 5));
      case 10:
        return absl::Substitute(
            "UPDATE notes SET extra = $0 WHERE ctid = (SELECT ctid FROM notes "
            "WHERE body = 'same $1' LIMIT 1)",
            Pick(1, 9), Pick(1, 5));
      case 11:
        return Pick(1, 300) == 1
                   ? std::string("TRUNCATE tags RESTART IDENTITY")
                   : absl::Substitute(
                         "INSERT INTO tags (account, tag) VALUES ($0, "
                         "'t$1') ON CONFLICT DO NOTHING",
                         Account(), Pick(1, 100));
      default:
        return absl::Substitute(
            "DELETE FROM notes WHERE ctid = (SELECT ctid FROM notes WHERE "
            "body = 'same $0' LIMIT 1)",
            Pick(1, 5));
    }
  }

  std::mt19937_64& random_;
};

}  // namespace

std::string WriterSchemaSql(int accounts) {
  return absl::StrCat(
      "CREATE TABLE accounts (id int PRIMARY KEY, name text UNIQUE NOT NULL, "
      "balance int NOT NULL, document text);"
      "ALTER TABLE accounts ALTER document SET STORAGE EXTERNAL;"
      "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY "
      "KEY, account int NOT NULL, amount numeric(10,2) NOT NULL, "
      "doubled numeric GENERATED ALWAYS AS (amount * 2) STORED, "
      "at timestamptz NOT NULL DEFAULT now());"
      "CREATE TABLE notes (body text, extra int);"
      "ALTER TABLE notes REPLICA IDENTITY FULL;"
      "CREATE TABLE tags (account int, tag text, serial serial, "
      "PRIMARY KEY (account, tag));"
      "CREATE SEQUENCE tickets;"
      "INSERT INTO accounts SELECT i, 'a' || i, 0, CASE WHEN i % 3 = 0 THEN "
      "repeat('d', 3000) END FROM generate_series(1, ",
      accounts,
      ") i;"
      "INSERT INTO orders (account, amount, at) SELECT i, i, '2026-01-01 "
      "00:00+00' FROM "
      "generate_series(1, 1000) i;"
      "INSERT INTO notes SELECT 'same ' || i % 5 + 1, NULL FROM "
      "generate_series(1, 100) i;"
      "SELECT nextval('tickets') FROM generate_series(1, 7)");
}

Writers::Writers(std::string conninfo, int clients, uint64_t seed)
    : conninfo_(std::move(conninfo)) {
  for (int client = 0; client < clients; ++client) {
    threads_.emplace_back(
        [this, seed, client] { Write(seed + static_cast<uint64_t>(client)); });
  }
}

Writers::~Writers() { Stop(); }

void Writers::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Writers::Write(uint64_t seed) {
  std::mt19937_64 random(seed);
  RandomTransaction transaction(random);
  absl::StatusOr<SqlConnection> connection = SqlConnection::Open(conninfo_);
  while (!stopping_) {
    if (!connection.ok() || PQstatus(connection->raw()) != CONNECTION_OK) {
      absl::SleepFor(absl::Milliseconds(20));
      connection = SqlConnection::Open(conninfo_);
      continue;
    }
    if (connection->Exec(transaction.Sql()).ok()) {
      ++transactions_;
    } else {
      // The next BEGIN needs a clean session; a lost one is opened anew.
      connection->Exec("ROLLBACK").IgnoreError();
    }
  }
}

}  // namespace walferry
