#include "tests/testing/busy_tables.h"

#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "protocol/quoting.h"
#include "protocol/status.h"
#include "tests/testing/sql.h"

namespace walferry {
namespace {

// Keys are drawn from a space that is small enough for the same one to be
// deleted and inserted again.
constexpr uint64_t kKeys = 6000;

class Session {
 public:
  Session(SqlConnection connection, uint64_t seed)
      : connection_(std::move(connection)), random_(seed), seed_(seed) {}

  // One transaction, or a vacuum.
  absl::Status Step() {
    if (Draw(60) == 0) {
      static constexpr const char* kVacuums[] = {
          "VACUUM plain", "VACUUM (FREEZE) pair", "VACUUM docs",
          "VACUUM (FREEZE) dense, made", "ANALYZE"};
      return Exec(kVacuums[Draw(5)]);
    }
    RETURN_IF_ERROR(Exec("BEGIN"));
    const uint64_t statements = 1 + Draw(6);
    for (uint64_t i = 0; i < statements; ++i) {
      const bool in_savepoint = Draw(4) == 0;
      if (in_savepoint) RETURN_IF_ERROR(Exec("SAVEPOINT s"));
      const absl::Status changed = Exec(Change());
      if (!changed.ok()) {
        // The other session was there first.
        if (!IsExpected(changed)) return changed;
        return Exec("ROLLBACK");
      }
      if (!in_savepoint) continue;
      RETURN_IF_ERROR(
          Exec(Draw(2) == 0 ? "ROLLBACK TO s" : "RELEASE SAVEPOINT s"));
    }
    return End();
  }

 private:
  uint64_t Draw(uint64_t below) { return random_() % below; }
  uint64_t Key() { return Draw(kKeys); }
  std::string Text(size_t longest) {
    static constexpr absl::string_view kLetters = "ab\\\t\n'\"{}, \xc3\xa9";
    std::string text;
    for (size_t size = Draw(longest + 1); text.size() < size;) {
      const size_t at = Draw(kLetters.size() - 1);
      absl::string_view letter = kLetters.substr(at, 1);
      if (at == kLetters.size() - 2) letter = kLetters.substr(at, 2);
      absl::StrAppend(&text, letter);
    }
    return text;
  }

  absl::Status Exec(const std::string& sql) { return connection_.Exec(sql); }

  static bool IsExpected(const absl::Status& status) {
    return absl::StartsWith(status.message(), "40P01") ||
           absl::StartsWith(status.message(), "23505");
  }

  absl::Status End() {
    switch (Draw(12)) {
      case 0:
        return Exec("ROLLBACK");
      case 1: {
        const std::string gid = absl::StrCat("'", seed_, " ", ++prepared_, "'");
        RETURN_IF_ERROR(Exec("PREPARE TRANSACTION " + gid));
        return Exec((Draw(4) == 0 ? "ROLLBACK PREPARED " : "COMMIT PREPARED ") +
                    gid);
      }
      default:
        return Exec("COMMIT");
    }
  }

  std::string Change() {
    switch (Draw(6)) {
      case 0:
      case 1:
        return ChangePlain();
      case 2:
        return ChangePair();
      case 3:
        return ChangeDocs();
      case 4:
        return ChangeMade();
      default:
        return ChangeDense();
    }
  }

  std::string ChangePlain() {
    switch (Draw(7)) {
      case 0:
        return absl::Substitute(
            "INSERT INTO plain SELECT i, md5(i::text), $0 FROM "
            "generate_series($1, $2) i ON CONFLICT DO NOTHING",
            Draw(1000), Key() + kKeys, Key() + kKeys + 50);
      case 1:
        return absl::Substitute("DELETE FROM plain WHERE id BETWEEN $0 AND $1",
                                Key(), Key());
      case 2:
        // The key moves away, in the row's place or another.
        return absl::Substitute(
            "UPDATE plain SET id = $0 WHERE id = $1 AND NOT EXISTS (SELECT "
            "FROM plain WHERE id = $0)",
            Key(), Key());
      case 3: {
        const uint64_t key = Key();
        return absl::Substitute(
            "WITH gone AS (DELETE FROM plain WHERE id BETWEEN $0 AND $1 "
            "RETURNING id) INSERT INTO plain SELECT id + $2, 'again', 0 FROM "
            "gone ON CONFLICT DO NOTHING",
            key, key + 5, kKeys);
      }
      case 4: {
        const uint64_t key = Key();
        return absl::Substitute(
            "DELETE FROM plain WHERE id = $0; INSERT INTO plain VALUES ($0, "
            "'reborn', $1)",
            key, Draw(1000));
      }
      default: {
        const uint64_t key = Key();
        return absl::Substitute(
            "UPDATE plain SET n = n + 1, pad = repeat('u', $0) WHERE id "
            "BETWEEN $1 AND $2",
            Draw(300), key, key + Draw(20));
      }
    }
  }

  std::string ChangePair() {
    const std::string a = QuoteLiteral(Text(6));
    switch (Draw(4)) {
      case 0:
        return absl::Substitute(
            "INSERT INTO pair VALUES ($0, $1, 'new') ON CONFLICT DO NOTHING", a,
            Draw(40));
      case 1:
        return absl::Substitute(
            "UPDATE pair SET a = $0 WHERE ctid = (SELECT ctid FROM pair WHERE "
            "b = $1 ORDER BY a LIMIT 1) AND NOT EXISTS (SELECT FROM pair AS o "
            "WHERE (o.a, o.b) = ($0, pair.b))",
            a, Draw(40));
      case 2:
        return absl::Substitute(
            "DELETE FROM pair WHERE b = $0 AND a < $1 COLLATE \"C\"", Draw(40),
            a);
      default:
        return absl::Substitute("UPDATE pair SET v = v || 'x' WHERE b = $0",
                                Draw(40));
    }
  }

  std::string ChangeDocs() {
    const uint64_t key = Key();
    switch (Draw(4)) {
      case 0:
        return absl::Substitute(
            "INSERT INTO docs VALUES ($0, (SELECT string_agg(md5(i::text), '') "
            "FROM generate_series(1, $1) i), 0) ON CONFLICT DO NOTHING",
            key + kKeys, Draw(200));
      case 1:
        return absl::Substitute("DELETE FROM docs WHERE code = $0", key);
      case 2:
        return absl::Substitute(
            "UPDATE docs SET doc = doc || md5(n::text) WHERE code = $0", key);
      default:
        return absl::Substitute(
            "UPDATE docs SET n = n + 1 WHERE code BETWEEN $0 AND $1", key,
            key + 10);
    }
  }

  std::string ChangeMade() {
    const uint64_t key = Key();
    switch (Draw(3)) {
      case 0:
        return absl::Substitute("INSERT INTO made (x) VALUES ($0), ($1)",
                                Draw(1000), Draw(1000));
      case 1:
        return absl::Substitute("DELETE FROM made WHERE id BETWEEN $0 AND $1",
                                key, key + 3);
      default:
        return absl::Substitute(
            "UPDATE made SET x = x + 1 WHERE id BETWEEN $0 AND $1", key,
            key + 30);
    }
  }

  std::string ChangeDense() {
    const uint64_t key = Key();
    if (Draw(10) == 0) {
      return absl::Substitute("DELETE FROM dense WHERE id = $0", key);
    }
    return absl::Substitute(
        "UPDATE dense SET n = n + 1 WHERE id BETWEEN $0 AND $1", key, key + 40);
  }

  SqlConnection connection_;
  std::mt19937_64 random_;
  const uint64_t seed_;
  int prepared_ = 0;
};

}  // namespace

std::string BusyTablesSql() {
  return R"sql(
    CREATE TABLE plain (id int NOT NULL, pad text, n int);
    CREATE TABLE pair (a text NOT NULL, b int NOT NULL, v text);
    CREATE TABLE docs (code bigint NOT NULL, doc text, n int);
    ALTER TABLE docs ALTER doc SET STORAGE EXTERNAL;
    CREATE TABLE made (twice int GENERATED ALWAYS AS (x * 2) STORED, x int,
                       id int GENERATED ALWAYS AS IDENTITY);
    CREATE TABLE dense (id int NOT NULL, n int) WITH (fillfactor = 30);
  )sql";
}

std::string BusyKeysSql() {
  return R"sql(
    ALTER TABLE plain ADD PRIMARY KEY (id);
    ALTER TABLE pair ADD PRIMARY KEY (b, a);
    CREATE UNIQUE INDEX docs_code ON docs (code);
    ALTER TABLE docs REPLICA IDENTITY USING INDEX docs_code;
    ALTER TABLE made ADD PRIMARY KEY (id);
    ALTER TABLE dense ADD PRIMARY KEY (id);
  )sql";
}

std::string BusyRowsSql(int rows) {
  return absl::Substitute(
      R"sql(
    INSERT INTO plain SELECT i, repeat('p', i % 90), i
      FROM generate_series(1, $0) i;
    INSERT INTO pair SELECT 'k' || i, i % 40, repeat('v', i % 60)
      FROM generate_series(1, $0) i;
    INSERT INTO docs SELECT i, (SELECT string_agg(md5(j::text || i), '')
                                FROM generate_series(0, i % 90) j), i
      FROM generate_series(1, $0) i;
    INSERT INTO made (x) SELECT i FROM generate_series(1, $0) i;
    INSERT INTO dense SELECT i, i FROM generate_series(1, $0) i;
  )sql",
      rows);
}

BusyWriters::BusyWriters(std::string conninfo, int sessions, uint64_t seed)
    : conninfo_(std::move(conninfo)) {
  for (int session = 0; session < sessions; ++session) {
    threads_.emplace_back(
        [this, seed, session] { Write(seed * 1000 + session); });
  }
}

BusyWriters::~BusyWriters() { Stop().IgnoreError(); }

absl::Status BusyWriters::Stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  absl::MutexLock lock(&mutex_);
  return failure_;
}

void BusyWriters::Write(uint64_t seed) {
  absl::StatusOr<SqlConnection> connection = SqlConnection::Open(conninfo_);
  absl::Status status = connection.status();
  if (status.ok()) {
    Session session(*std::move(connection), seed);
    while (status.ok() && !stopping_) status = session.Step();
  }
  absl::MutexLock lock(&mutex_);
  if (failure_.ok()) failure_ = status;
}

}  // namespace walferry
