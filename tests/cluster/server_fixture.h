#ifndef TESTS_CLUSTER_SERVER_FIXTURE_H_
#define TESTS_CLUSTER_SERVER_FIXTURE_H_

// A server with eight databases of different encodings and sizes, twelve roles
// and a tablespace, and an empty one. For tests/cluster/server_*_test.cc.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "engine/server/servers.h"
#include "engine/verify/verification.h"
#include "tests/cluster/globals_fixture.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/writers.h"

namespace walferry {

// Keeps all events with their databases.
class ServerEventRecorder : public ServerEventSink {
 public:
  void OnEvent(absl::string_view database, const Event& event) override {
    absl::MutexLock lock(&mutex_);
    events_.emplace_back(std::string(database), event);
  }

  template <typename T>
  std::vector<T> All(absl::string_view database) const {
    absl::MutexLock lock(&mutex_);
    std::vector<T> found;
    for (const auto& [name, event] : events_) {
      const T* one = std::get_if<T>(&event);
      if (one != nullptr && name == database) found.push_back(*one);
    }
    return found;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::pair<std::string, Event>> events_ ABSL_GUARDED_BY(mutex_);
};

// Facts about databases that none of the copies carries.
inline constexpr char kDatabasesSql[] = R"sql(
  SELECT string_agg(concat_ws('|', datname, pg_encoding_to_char(encoding),
                              datcollate, datctype, datdba::regrole,
                              datconnlimit, spcname,
                              (SELECT array_agg(a::text ORDER BY a::text)
                                 FROM unnest(datacl) a),
                              shobj_description(d.oid, 'pg_database'),
                              (SELECT string_agg(concat_ws(' ',
                                        s.setrole::regrole, s.setconfig), ','
                                        ORDER BY 1)
                                 FROM pg_db_role_setting s
                                WHERE setdatabase = d.oid)),
                    E'\n' ORDER BY datname COLLATE "C")
    FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace
   WHERE NOT datistemplate
)sql";

class ServerTest : public GlobalsTest {
 protected:
  // Smallest first, as PostgreSQL sizes them with these contents.
  static constexpr const char* kNames[] = {"ascii", "euc",          "latin one",
                                           "win",   "Odd \"name\"", "spaced",
                                           "shop",  "large"};

  void SetUp() override { StartAndLoad({}, {}); }

  void StartAndLoad(const PgServerOptions& source,
                    const PgServerOptions& target) {
    StartServers(source, target);
    if (HasFatalFailure()) return;
    LoadDatabases();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(target_space_, MakeDirectory(*target_));
  }

  void LoadDatabases() {
    Make("ascii", "SQL_ASCII", "");
    Make("euc", "EUC_JP", "");
    Make("latin one", "LATIN1", " CONNECTION LIMIT 7");
    Make("win", "WIN1251", "");
    Make("Odd \"name\"", "UTF8", " OWNER app");
    Make("spaced", "UTF8", " TABLESPACE fast");
    Make("shop", "UTF8", " OWNER owner_group");
    Make("large", "UTF8", "");
    Fill("ascii", "'plain'", 100);
    // Bytes of no encoding, which the oracle cannot compare.
    ASSERT_OK(
        source_->Exec("CREATE TABLE bytes AS SELECT i, chr(i) AS byte "
                      "FROM generate_series(1, 255) i",
                      "ascii"));
    Fill("euc", "convert_from('\\xcea9b2bb', 'EUC_JP')", 1000);
    Fill("latin one", "chr(233)", 2000);
    Fill("win", "chr(255)", 3000);
    Fill("Odd \"name\"", "U&'\\00e9\\3042'", 4000);
    Fill("spaced", "'spaced'", 5000);
    ASSERT_OK(source_->Exec(WriterSchemaSql(4000), "shop"));
    ASSERT_OK(source_->Exec(WriterSchemaSql(12000), "large"));
    ASSERT_OK(source_->Exec(
        "SELECT lo_from_bytea(7001, sha256('large')); "
        "CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM accounts",
        "large"));
    ASSERT_OK(source_->Exec(R"sql(
      COMMENT ON DATABASE shop IS 'the shop''s';
      ALTER DATABASE shop SET search_path TO public, "b c";
      ALTER ROLE app IN DATABASE shop SET work_mem = '3MB';
      REVOKE ALL ON DATABASE shop FROM PUBLIC;
      GRANT CONNECT ON DATABASE shop TO app WITH GRANT OPTION;
    )sql"));
  }

  void Make(const std::string& name, const std::string& encoding,
            const std::string& more) {
    ASSERT_OK(source_->Exec(absl::StrCat(
        "CREATE DATABASE ", Quoted(name), " TEMPLATE template0 ENCODING '",
        encoding, "' LC_COLLATE 'C' LC_CTYPE 'C'", more)));
  }

  void Fill(const std::string& name, const std::string& text, int rows) {
    ASSERT_OK(source_->Exec(
        absl::StrCat("CREATE TABLE words (id int PRIMARY KEY, word text); "
                     "INSERT INTO words SELECT i, ",
                     text, " || i FROM generate_series(1, ", rows,
                     ") i; CREATE INDEX ON words (word); "
                     "CREATE SEQUENCE numbers; SELECT setval('numbers', ",
                     rows, ")"),
        name));
  }

  static std::string Quoted(const std::string& name) {
    std::string quoted = "\"";
    for (const char byte : name) quoted.append(byte == '"' ? 2 : 1, byte);
    return quoted + "\"";
  }

  ServerMigrateOptions MoveOptions() const {
    ServerMigrateOptions options;
    options.migrate.endpoints = {.source = source_->ConnInfo(),
                                 .target = target_->ConnInfo(),
                                 .name = "move"};
    options.migrate.mode = MigrateMode::kOffline;
    options.migrate.jobs = 2;
    options.migrate.index_jobs = 2;
    options.migrate.split_bytes = 256 << 10;
    options.migrate.stream.poll_interval = absl::Milliseconds(50);
    options.globals_plan.tablespaces = {{.from = "fast", .to = target_space_}};
    return options;
  }

  absl::StatusOr<ServerReport> Move(const ServerMigrateOptions& options) {
    Control control;
    return RunServerMigration(options, control, moves_);
  }

  void ExpectAllEqual() {
    for (const std::string name : kNames) {
      SCOPED_TRACE(name);
      ExpectDatabasesEqual(source_->ConnInfo(name), target_->ConnInfo(name),
                           {.excluded_relations = {"public.bytes"}});
    }
    EXPECT_EQ(Bytes(*target_), Bytes(*source_));
    EXPECT_EQ(Facts(*target_), Facts(*source_));
    EXPECT_EQ(Roles(*target_), Roles(*source_));
    EXPECT_THAT(
        target_->QueryValue("SELECT encode(lo_get(7001), 'hex')", "large"),
        IsOkAndHolds(source_
                         ->QueryValue("SELECT encode(lo_get(7001), "
                                      "'hex')",
                                      "large")
                         .value_or("error")));
  }

  // For ServerMigrateOptions::compare.
  static CompareDatabase CompareBy(VerifyMethod method) {
    return [method](const MigrateOptions& migrate, VerifyShare share,
                    Control& control,
                    EventSink& events) -> absl::StatusOr<std::string> {
      VerifyOptions options;
      options.endpoints = migrate.endpoints;
      options.method = method;
      options.schema = false;
      options.scope = migrate.scope;
      options.share = share;
      options.jobs = migrate.jobs;
      const absl::StatusOr<VerifyReport> report =
          RunVerify(options, control, events);
      if (!report.ok()) return report.status();
      if (report->uncertain()) return absl::UnknownError("nobody knows");
      return std::string(report->found_differences() ? "rows differ" : "");
    };
  }

  static std::string Bytes(const PgServer& server) {
    return server
        .QueryValue("SELECT md5(string_agg(byte, '' ORDER BY i)) FROM bytes",
                    "ascii")
        .value_or("error");
  }

  static std::string Facts(const PgServer& server) {
    return server.QueryValue(kDatabasesSql).value_or("error");
  }

  std::string target_space_;
  ServerEventRecorder moves_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_SERVER_FIXTURE_H_
