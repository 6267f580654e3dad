#include "protocol/pg_copy.h"

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_interrupt.h"
#include "protocol/status.h"
#include "tests/cluster/pg_fixture.h"

namespace walferry {
namespace {

constexpr absl::Duration kIdle = absl::Seconds(30);

using PgCopyTest = PgTest;

TEST_F(PgCopyTest, CarriesRowsInAndOut) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  constexpr int kRows = 50'000;
  const std::string value(100, 'v');
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  for (int i = 0; i < kRows; ++i) {
    // Rows in pieces: where they are cut means nothing.
    ASSERT_OK(in.Write(absl::StrCat(i)));
    ASSERT_OK(in.Write("\t"));
    ASSERT_OK(in.Write(absl::StrCat(value, "\n")));
  }
  EXPECT_THAT(in.Finish(), IsOkAndHolds(kRows));
  EXPECT_EQ(Count("count(*) || ' ' || sum(i) || ' ' || sum(length(v))"),
            "50000 1249975000 5000000");

  ASSERT_OK_AND_ASSIGN(
      PgCopyOut out,
      PgCopyOut::Start(connection, "COPY (TABLE t ORDER BY i) TO STDOUT",
                       kIdle));
  std::string rows;
  for (int i = 0; i < kRows; ++i) absl::StrAppend(&rows, i, "\t", value, "\n");
  std::string received;
  int64_t messages = 0;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const auto piece, out.Next());
    if (!piece.has_value()) break;
    absl::StrAppend(&received, piece->bytes);
    messages += piece->messages;
  }
  EXPECT_TRUE(received == rows);
  EXPECT_EQ(messages, kRows);
  EXPECT_EQ(out.rows(), kRows);
  EXPECT_FALSE(out.binary());
  EXPECT_THAT(out.Next(), IsOkAndHolds(testing::Eq(std::nullopt)));
  EXPECT_THAT(out.Next(), IsOkAndHolds(testing::Eq(std::nullopt)));
  EXPECT_OK(connection.Exec("SELECT 1").status());
}

TEST_F(PgCopyTest, WritesPiecesOfAnySize) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(in.Write(""));
  ASSERT_OK(in.Write(absl::StrCat("1\t", std::string(20'000'000, 'x'), "\n")));
  ASSERT_OK(in.Write("2\ty\n"));
  EXPECT_THAT(in.Finish(), IsOkAndHolds(2));
  EXPECT_EQ(Count("sum(length(v))"), "20000001");
}

TEST_F(PgCopyTest, AnEmptyCopyIsACopy) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  EXPECT_THAT(in.Finish(), IsOkAndHolds(0));
  ASSERT_OK_AND_ASSIGN(PgCopyOut out,
                       PgCopyOut::Start(connection, "COPY t TO STDOUT", kIdle));
  EXPECT_THAT(out.Next(), IsOkAndHolds(testing::Eq(std::nullopt)));
}

TEST_F(PgCopyTest, SaysWhereARowIsBad) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(in.Write("1\ta\n2\tb\nthree\tc\n"));
  const absl::StatusOr<int64_t> finished = in.Finish();
  EXPECT_THAT(finished,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "invalid input syntax for type integer: \"three\" "
                       "(SQLSTATE 22P02): COPY t, line 3, column i"));
  EXPECT_EQ(Count(), "0");
  EXPECT_OK(connection.Exec("SELECT 1").status());
}

TEST_F(PgCopyTest, SaysWhichKeyWasThereAndWhere) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(in.Write("1\ta\n1\tb\n"));
  EXPECT_THAT(in.Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "duplicate key value violates unique constraint "
                       "\"t_pkey\" (SQLSTATE 23505): Key (i)=(1) already "
                       "exists.; COPY t, line 2"));
}

// The server drops what comes behind an error; nothing may block on that.
TEST_F(PgCopyTest, AnErrorLongBeforeTheEndIsFound) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(in.Write("bad\trow\n"));
  const std::string rows(1'000'000, '\n');
  for (int i = 0; i < 50; ++i) ASSERT_OK(in.Write(rows));
  EXPECT_THAT(in.Finish(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "invalid input syntax for type integer: \"bad\" "
                       "(SQLSTATE 22P02): COPY t, line 1, column i"));
  EXPECT_OK(connection.Exec("SELECT 1").status());
}

TEST_F(PgCopyTest, AnAbortLeavesNothing) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_OK(in.Write(absl::StrCat(i, "\tv\n")));
  }
  EXPECT_OK(in.Abort("changed my mind"));
  EXPECT_OK(in.Abort("twice"));
  EXPECT_THAT(in.Finish(), StatusIs(absl::StatusCode::kInternal,
                                    "the COPY is over already"));
  EXPECT_THAT(in.Write("1\n"), StatusIs(absl::StatusCode::kInternal,
                                        "write to a COPY that is over"));
  EXPECT_EQ(Count(), "0");
  EXPECT_OK(connection.Exec("SELECT 1").status());
}

TEST_F(PgCopyTest, AForgottenCopyLeavesNothing) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  {
    ASSERT_OK_AND_ASSIGN(
        PgCopyIn in, PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
    PgCopyIn moved = std::move(in);
    ASSERT_OK(moved.Write("1\tv\n"));
  }
  EXPECT_EQ(Count(), "0");
  EXPECT_FALSE(connection.broken());
  EXPECT_OK(connection.Exec("SELECT 1").status());
}

// The header comes with the first row, and the trailer by itself.
TEST_F(PgCopyTest, BinaryRowsComeWithAHeaderAndATrailer) {
  ASSERT_OK(server_->Exec("INSERT INTO t SELECT generate_series(1, 1000)"));
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  for (const int rows : {1000, 0}) {
    ASSERT_OK_AND_ASSIGN(
        PgCopyOut out,
        PgCopyOut::Start(connection,
                         absl::StrCat("COPY (SELECT i FROM t LIMIT ", rows,
                                      ") TO STDOUT (FORMAT binary)"),
                         kIdle));
    int64_t messages = 0;
    int64_t bytes = 0;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const auto piece, out.Next());
      if (!piece.has_value()) break;
      messages += piece->messages;
      bytes += static_cast<int64_t>(piece->bytes.size());
    }
    EXPECT_EQ(messages, rows + 1);
    EXPECT_EQ(bytes, 19 + rows * (2 + 4 + 4) + 2);
    EXPECT_EQ(out.rows(), rows);
    EXPECT_TRUE(out.binary());
  }
}

// Where libpq encrypts it must read, too.
TEST_F(PgCopyTest, RowsComeThroughTls) {
  ASSERT_OK_AND_ASSIGN(const auto server, PgServer::Start({.tls = true}));
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       PgConnection::Open({.conninfo = server->ConnInfo()}));
  // The server's word for it: nothing below would differ otherwise.
  EXPECT_THAT(connection.QueryValue("SELECT ssl FROM pg_stat_ssl"
                                    " WHERE pid = pg_backend_pid()"),
              IsOkAndHolds("t"));
  for (const char* const format : {"text", "binary"}) {
    ASSERT_OK_AND_ASSIGN(
        PgCopyOut out,
        PgCopyOut::Start(
            connection,
            absl::StrCat("COPY (SELECT repeat('x', 1000) FROM "
                         "generate_series(1, 10000)) TO STDOUT (FORMAT ",
                         format, ")"),
            kIdle));
    size_t bytes = 0;
    while (true) {
      ASSERT_OK_AND_ASSIGN(const auto piece, out.Next());
      if (!piece.has_value()) break;
      bytes += piece->bytes.size();
    }
    EXPECT_EQ(bytes,
              out.binary() ? 19 + 10000 * (2 + 4 + 1000) + 2 : 10000 * 1001);
    EXPECT_EQ(out.binary(), absl::string_view(format) == "binary");
    EXPECT_EQ(out.rows(), 10000);
  }
}

// Instead of ending the program: a row is as large as somebody has made it.
TEST_F(PgCopyTest, ARowThatNoMemoryIsLeftForIsAnError) {
  constexpr size_t kRow = size_t{64} << 20;
  const auto copy_with_little_memory = [&] {
    absl::StatusOr<PgConnection> connection =
        PgConnection::Open({.conninfo = server_->ConnInfo()});
    absl::StatusOr<PgCopyOut> out = PgCopyOut::Start(
        *connection,
        absl::StrCat("COPY (SELECT repeat('x', ", kRow, ")) TO STDOUT"), kIdle);
    std::ifstream pages("/proc/self/statm");
    rlim_t virtual_pages = 0;
    pages >> virtual_pages;
    const rlim_t limit = virtual_pages * 4096 + (kRow / 2);
    const rlimit little = {.rlim_cur = limit, .rlim_max = limit};
    setrlimit(RLIMIT_AS, &little);
    const absl::Status ended = out->Next().status();
    std::fprintf(stderr, "%s", std::string(ended.message()).c_str());
    std::_Exit(ended.code() == absl::StatusCode::kFailedPrecondition ? 7 : 1);
  };
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_EXIT(copy_with_little_memory(), ::testing::ExitedWithCode(7),
              absl::StrCat("no memory for a message of ", kRow + 6, " bytes"));
#else
  (void)copy_with_little_memory;
#endif
}

TEST_F(PgCopyTest, NoticesAndLargeRowsMayComeInBetween) {
  std::vector<std::string> notices;
  ASSERT_OK_AND_ASSIGN(
      PgConnection connection,
      PgConnection::Open({.conninfo = server_->ConnInfo(),
                          .on_notice = [&](absl::string_view text) {
                            notices.emplace_back(text);
                          }}));
  ASSERT_OK(connection
                .Exec("CREATE FUNCTION pg_temp.say(i int) RETURNS text "
                      "LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'row %', i; "
                      "RETURN repeat('x', 3000000); END$$")
                .status());
  ASSERT_OK_AND_ASSIGN(PgCopyOut out,
                       PgCopyOut::Start(connection,
                                        "COPY (SELECT pg_temp.say(i) FROM "
                                        "generate_series(1, 3) i) TO STDOUT",
                                        kIdle));
  size_t bytes = 0;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const auto piece, out.Next());
    if (!piece.has_value()) break;
    bytes += piece->bytes.size();
  }
  EXPECT_EQ(bytes, 3u * 3000001);
  EXPECT_EQ(out.rows(), 3);
  EXPECT_THAT(notices, testing::ElementsAre("NOTICE:  row 1", "NOTICE:  row 2",
                                            "NOTICE:  row 3"));
  EXPECT_OK(connection.Exec("SELECT 1").status());
}

TEST_F(PgCopyTest, AHalfReadCopyBreaksTheConnection) {
  ASSERT_OK(server_->Exec("INSERT INTO t SELECT generate_series(1, 1000)"));
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  {
    ASSERT_OK_AND_ASSIGN(
        PgCopyOut out, PgCopyOut::Start(connection, "COPY t TO STDOUT", kIdle));
    PgCopyOut moved = std::move(out);
    ASSERT_OK(moved.Next().status());
  }
  EXPECT_TRUE(connection.broken());
}

TEST_F(PgCopyTest, RefusesAStatementThatIsNoSuchCopy) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  EXPECT_THAT(
      PgCopyOut::Start(connection, "COPY nix TO STDOUT", kIdle).status(),
      StatusIs(absl::StatusCode::kNotFound,
               "relation \"nix\" does not exist (SQLSTATE 42P01)"));
  EXPECT_OK(connection.Exec("SELECT 1").status());
  EXPECT_THAT(PgCopyIn::Start(connection, "SELECT 1", kIdle).status(),
              StatusIs(absl::StatusCode::kInternal,
                       "expected a COPY FROM STDIN, the server answered "
                       "PGRES_TUPLES_OK"));
  EXPECT_TRUE(connection.broken());
}

TEST_F(PgCopyTest, AServerErrorInMidCopyIsReported) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(
      PgCopyOut out, PgCopyOut::Start(connection,
                                      "COPY (SELECT 1 / (50000 - i) FROM "
                                      "generate_series(1, 100000) i) TO STDOUT",
                                      kIdle));
  absl::Status status;
  int64_t rows = 0;
  while (status.ok() && rows < 100'000) {
    const auto piece = out.Next();
    if (piece.ok()) rows += (*piece)->messages;
    status = piece.status();
  }
  EXPECT_EQ(rows, 49'999);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "division by zero (SQLSTATE 22012)"));
  EXPECT_EQ(out.Next().status(), status);
  EXPECT_OK(connection.Exec("SELECT 1").status());
}

// The second row pushes the first one out of the server's send buffer, and a
// third one never comes.
constexpr char kOneRowThenSilence[] =
    "COPY (SELECT repeat('x', 10000) FROM generate_series(1, 2) UNION ALL "
    "SELECT pg_sleep(600)::text) TO STDOUT";

TEST_F(PgCopyTest, ASilentServerEndsTheWait) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyOut out,
                       PgCopyOut::Start(connection, kOneRowThenSilence,
                                        absl::Milliseconds(500)));
  ASSERT_OK(out.Next().status());
  EXPECT_THAT(out.Next(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                   "no answer in time"));
  EXPECT_TRUE(connection.broken());
  EXPECT_THAT(out.Next(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                   "no answer in time"));
}

TEST_F(PgCopyTest, AnInterruptEndsTheWaitForData) {
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open(&interrupt));
  ASSERT_OK_AND_ASSIGN(PgCopyOut out,
                       PgCopyOut::Start(connection, kOneRowThenSilence, kIdle));
  ASSERT_OK(out.Next().status());
  std::thread raiser([&] { interrupt.Raise(); });
  EXPECT_THAT(out.Next(),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
  EXPECT_TRUE(connection.broken());
}

TEST_F(PgCopyTest, AnInterruptEndsTheWaitOfAWriter) {
  ASSERT_OK_AND_ASSIGN(PgConnection blocker, Open());
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open(&interrupt));
  ASSERT_OK(blocker.Exec("INSERT INTO t VALUES (0)").status());
  ASSERT_OK(blocker.Exec("BEGIN; DELETE FROM t").status());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  std::thread raiser([&] {
    EXPECT_TRUE(WaitForLock("NOT granted"));
    interrupt.Raise();
  });
  // The server waits for the blocker and takes no more than the buffers hold.
  absl::Status status = in.Write("0\tv\n");
  for (int i = 1; status.ok(); ++i) {
    status = in.Write(absl::StrCat(i, "\t", std::string(1000, 'v'), "\n"));
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
  EXPECT_TRUE(connection.broken());
}

TEST_F(PgCopyTest, AWriterHearsWhyItWasTerminated) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn in,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(in.Write("0\tv\n"));
  ASSERT_OK(server_->Exec(absl::StrCat("SELECT pg_terminate_backend(",
                                       connection.backend_pid(), ", 30000)")));
  absl::Status status;
  for (int i = 1; status.ok() && i < 1'000'000; ++i) {
    status = in.Write(absl::StrCat(i, "\t", std::string(1000, 'v'), "\n"));
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               "terminating connection due to administrator "
                               "command (SQLSTATE 57P01): COPY t, line 1"));
  EXPECT_TRUE(connection.broken());
  EXPECT_EQ(Count(), "0");
}

}  // namespace
}  // namespace walferry
