#ifndef TESTS_CLUSTER_GLOBALS_FIXTURE_H_
#define TESTS_CLUSTER_GLOBALS_FIXTURE_H_

// Two servers, the first with roles of every kind and a tablespace. For
// tests/cluster/globals_*_test.cc.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/server/servers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {

// Twelve roles: names that need quotes, every attribute, passwords of both
// kinds and none, a chain of grants, settings that are lists, comments.
inline constexpr char kTwelveRoles[] = R"sql(
  SET password_encryption = 'scram-sha-256';
  CREATE ROLE app LOGIN PASSWORD 'app-secret';
  CREATE ROLE "Re port'er" LOGIN NOINHERIT CONNECTION LIMIT 3
    VALID UNTIL '2031-02-03 04:05:06+07';
  CREATE ROLE owner_group;
  CREATE ROLE readers;
  CREATE ROLE writers;
  CREATE ROLE lead LOGIN PASSWORD 'lead-secret';
  CREATE ROLE maker CREATEDB CREATEROLE LOGIN;
  CREATE ROLE root2 SUPERUSER LOGIN PASSWORD 'root-secret';
  CREATE ROLE replicator REPLICATION LOGIN;
  CREATE ROLE seer BYPASSRLS;
  CREATE ROLE forever VALID UNTIL 'infinity';
  SET password_encryption = 'md5';
  CREATE ROLE old_md5 LOGIN PASSWORD 'md5-secret';
  GRANT readers TO app, "Re port'er";
  GRANT writers TO lead WITH ADMIN OPTION;
  GRANT writers TO app GRANTED BY lead;
  GRANT owner_group TO lead, maker;
  GRANT pg_monitor TO seer;
  GRANT pg_read_all_data TO lead WITH ADMIN OPTION;
  ALTER ROLE app SET search_path TO "$user", 'a, b', public;
  ALTER ROLE app SET work_mem = '7MB';
  ALTER ROLE lead SET "my.own" = 'it''s \ "quoted"';
  ALTER ROLE root2 SET log_statement = 'ddl';
  ALTER ROLE ALL SET statement_timeout = '1h';
  COMMENT ON ROLE app IS 'the shop''s \ application';
  COMMENT ON ROLE readers IS 'read';
)sql";

// One line for each fact about roles; read from the catalogs, not by what is
// under test. `memberships` has columns that old servers lack.
inline std::string RolesSql(bool grant_options) {
  return absl::StrCat(
      R"sql(
  SELECT coalesce(string_agg(line, E'\n' ORDER BY line COLLATE "C"), '') FROM (
    SELECT concat_ws(' ', 'role', rolname, rolsuper, rolinherit, rolcreaterole,
             rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
             rolconnlimit, rolvaliduntil AT TIME ZONE 'UTC',
             coalesce(rolpassword, '-'),
             shobj_description(oid, 'pg_authid'))
      FROM pg_authid WHERE rolname !~ '^pg_' AND rolname <> 'postgres'
    UNION ALL
    SELECT concat_ws(' ', 'member', m.roleid::regrole, m.member::regrole,
                     m.admin_option)sql",
      grant_options ? ", m.inherit_option, m.set_option, m.grantor::regrole"
                    : "",
      R"sql()
      FROM pg_auth_members m WHERE m.member::regrole::text !~ '^"?pg_'
    UNION ALL
    SELECT concat_ws(' ', 'set', setrole::regrole, c)
      FROM pg_db_role_setting, unnest(setconfig) c WHERE setdatabase = 0
    UNION ALL
    SELECT concat_ws(' ', 'space', spcname, spcowner::regrole, spcoptions,
                     spcacl, shobj_description(oid, 'pg_tablespace'))
      FROM pg_tablespace WHERE spcname !~ '^pg_') AS facts (line)
)sql");
}

class GlobalsTest : public ::testing::Test {
 protected:
  void StartServers(const PgServerOptions& source,
                    const PgServerOptions& target) {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start(source));
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start(target));
    ASSERT_OK(source_->Exec(kTwelveRoles));
    ASSERT_OK_AND_ASSIGN(source_space_, MakeDirectory(*source_));
    ASSERT_OK(source_->Exec(
        absl::StrCat("CREATE TABLESPACE fast OWNER owner_group LOCATION '",
                     source_space_, "' WITH (random_page_cost = 1.1)")));
    ASSERT_OK(source_->Exec(
        "GRANT CREATE ON TABLESPACE fast TO app WITH GRANT OPTION; "
        "SET ROLE app; GRANT CREATE ON TABLESPACE fast TO readers; RESET ROLE; "
        "COMMENT ON TABLESPACE fast IS 'NVMe'"));
  }

  // Beside the server's data.
  static absl::StatusOr<std::string> MakeDirectory(const PgServer& server) {
    const absl::StatusOr<std::string> data = server.QueryValue(
        "SELECT regexp_replace(current_setting("
        "'data_directory'), '/[^/]*$', '')");
    if (!data.ok()) return data;
    const std::string path = absl::StrCat(*data, "/space");
    const absl::Status made = server.Exec(
        // No row: mkdir reads none, and may be gone before one is written.
        absl::StrCat("COPY (SELECT WHERE false) TO PROGRAM 'mkdir ", path,
                     "'"));
    if (!made.ok()) return made;
    return path;
  }

  GlobalsOptions Options() const {
    return {.endpoints = {.source = source_->ConnInfo(),
                          .target = target_->ConnInfo()}};
  }

  absl::StatusOr<GlobalsReport> Run(const GlobalsOptions& options) {
    Control control;
    return RunGlobals(options, control, events_);
  }

  std::string Roles(const PgServer& server) const {
    const bool grant_options =
        source_->major_version() >= 16 && target_->major_version() >= 16;
    return server.QueryValue(RolesSql(grant_options)).value_or("error");
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
  std::string source_space_;
  EventRecorder events_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_GLOBALS_FIXTURE_H_
