#include "engine/schema/dump_failure.h"

#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

absl::Status Of(const char* errors) {
  return DumpFailure("pg_dump", {.exit_code = 1, .errors = errors});
}

TEST(DumpFailure, OfALockMayPass) {
  const absl::Status status =
      Of("pg_dump: reading schemas\n"
         "pg_dump: error: query failed: ERROR:  canceling statement due to "
         "lock timeout\n"
         "pg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE "
         "MODE\n");
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kAborted,
               "pg_dump failed with exit code 1: pg_dump: error: query failed: "
               "ERROR:  canceling statement due to lock timeout; pg_dump: "
               "detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE"));
  EXPECT_NE(HintOf(status), "");
}

TEST(DumpFailure, OfTheLinkMayPass) {
  for (const char* errors :
       {"pg_dump: error: connection to server at \"127.0.0.1\", port 1 failed: "
        "Connection refused\n\tIs the server running on that host?\n",
        "pg_dump: error: connection to server at \"h\", port 1 failed: FATAL:  "
        "the database system is starting up\n",
        "pg_dump: error: query failed: server closed the connection "
        "unexpectedly\n\tThis probably means\n",
        "pg_dump: error: query failed: FATAL:  terminating connection due to "
        "administrator command\n",
        "pg_dump: error: connection to server at \"h\" failed: FATAL:  sorry, "
        "too many clients already\n"}) {
    EXPECT_EQ(Of(errors).code(), absl::StatusCode::kUnavailable) << errors;
  }
}

TEST(DumpFailure, OfRightsIsFinal) {
  const absl::Status status =
      Of("pg_dump: error: query failed: ERROR:  permission denied for table t\n"
         "pg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE "
         "MODE\n");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(HintOf(status),
            "the source's role must be able to read every table in scope: "
            "grant SELECT, or exclude the table");
  EXPECT_EQ(Of("pg_dump: error: connection to server failed: FATAL:  password "
               "authentication failed for user \"u\"\n")
                .code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DumpWarnings, AreWhatAProgramThatEndedWellHasSaid) {
  EXPECT_EQ(DumpWarnings("pg_dump",
                         "pg_dump: last built-in OID is 16383\n"
                         "pg_dump: warning: typtype of data type \"t\" appears "
                         "to be invalid\n"
                         "pg_restore: warning: not its own\n"),
            std::vector<std::string>{"pg_dump: typtype of data type \"t\" "
                                     "appears to be invalid"});
  EXPECT_TRUE(DumpWarnings("pg_dump", "").empty());
}

TEST(DumpFailure, TellsWhatALoaderSaid) {
  EXPECT_THAT(Of("/bin/pg_dump: libpq.so.5: cannot open\n"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "pg_dump failed with exit code 1: /bin/pg_dump: "
                       "libpq.so.5: cannot open"));
}

}  // namespace
}  // namespace walferry
