// What servers of each major version sent, from the first message of a stream
// to its last.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pgoutput.h"
#include "protocol/transaction_state.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/golden_file.h"
#include "tests/testing/message_text.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAreArray;

// None where they cannot be read, which a test of its own notices.
std::vector<GoldenFile> FilesOf(const std::set<std::string>& scenarios) {
  absl::StatusOr<std::vector<GoldenFile>> files =
      ReadGoldenFiles(TestsDirectory() + "/golden", scenarios);
  return files.ok() ? *std::move(files) : std::vector<GoldenFile>();
}

std::string NameOf(const ::testing::TestParamInfo<GoldenFile>& test) {
  return test.param.Name();
}

class Golden : public ::testing::TestWithParam<GoldenFile> {};

TEST_P(Golden, DecodesInOrder) {
  const std::map<std::string, std::string> kTypes = {
      {"plain", "BCDIMORTUY"},        {"binary", "BCDIRU"},
      {"two_phase", "BCEIKPRSbpr"},   {"streamed", "ABCDEIMORSTUYc"},
      {"parallel", "ABCDEIMORSTUYc"}, {"immediate", "ADEIMORSTUYc"}};
  ASSERT_OK_AND_ASSIGN(const std::vector<Message> messages,
                       DecodeGoldenFile(GetParam()));
  std::set<char> types;
  for (size_t index = 0; index < messages.size(); ++index) {
    const char type = GetParam().payloads[index][0];
    EXPECT_EQ(MessageType(messages[index]), type);
    types.insert(type);
  }
  EXPECT_EQ(std::string(types.begin(), types.end()),
            kTypes.at(GetParam().scenario));
}

TEST_P(Golden, HasNoMessageThatIsThePrefixOfAnother) {
  TransactionState state;
  for (const std::string& payload : GetParam().payloads) {
    const DecodeContext context = {
        .in_stream_block = state.in_stream_block(),
        .parallel_streaming = GetParam().parallel_streaming()};
    for (size_t size = 0; size < payload.size(); ++size) {
      ASSERT_FALSE(
          DecodeMessage(absl::string_view(payload).substr(0, size), context)
              .ok())
          << "type " << payload[0] << " cut to " << size << " bytes";
    }
    ASSERT_FALSE(DecodeMessage(payload + "x", context).ok());
    ASSERT_OK(state.Accept(*DecodeMessage(payload, context)));
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, ::testing::ValuesIn(FilesOf({})),
                         NameOf);

TEST(GoldenFiles, ExistForEveryServerAndScenario) {
  std::vector<std::string> names;
  for (const GoldenFile& file : FilesOf({})) names.push_back(file.Name());
  EXPECT_THAT(
      names,
      ElementsAreArray(
          {"pg14_binary",    "pg14_plain",    "pg14_streamed",  "pg15_binary",
           "pg15_plain",     "pg15_streamed", "pg15_two_phase", "pg16_binary",
           "pg16_immediate", "pg16_parallel", "pg16_plain",     "pg16_streamed",
           "pg16_two_phase", "pg17_binary",   "pg17_immediate", "pg17_parallel",
           "pg17_plain",     "pg17_streamed", "pg17_two_phase", "pg18_binary",
           "pg18_immediate", "pg18_parallel", "pg18_plain",     "pg18_streamed",
           "pg18_two_phase"}));
}

class GoldenPlain : public Golden {};

TEST_P(GoldenPlain, HoldsTheScenariosChanges) {
  const int server = GetParam().server;
  std::vector<std::string> expected = {
      "Insert t N(t'1', t'x', t'5', t'a', t'(1,q)', t'z*2100')",
      "Update t N(t'1', t'y', t'5', t'a', t'(1,q)', u)",
      "Update t K(t'1', n, n, n, n, n) N(t'2', t'y', t'5', t'a', t'(1,q)', u)",
      "Delete t K(t'2', n, n, n, n, n)",
      "Insert whole N(t'1', t'f*2100')",
      "Insert whole N(n, t'tab\\tand \\\\ \\303\\251')",
      "Update whole O(t'1', t'f*2100') N(t'2', u)",
      "Delete whole O(n, t'tab\\tand \\\\ \\303\\251')",
      "Insert coded N(t'1', t'one', t'1.50')",
      "Update coded N(t'1', t'one', t'2.00')",
      "Update coded K(n, t'one', n) N(t'1', t'two', t'2.00')",
      "Delete coded K(n, t'two', n)",
      "Insert keyless N(t'1')",
      "Insert nothing N()",
      "Insert longkey N(t'k*2100', t'1')",
      "Update longkey K(t'k*2100', n) N(u, t'2')",
      "Insert part N(t'1', t'a')",
      "Delete part K(t'1', t'a')",
      "Insert part N(t'1', t'b')",
  };
  if (server >= 15) {  // Row filters and column lists.
    expected.push_back("Insert filtered N(t'1', t'20', u)");
    expected.push_back("Delete filtered K(t'1', t'20', n)");
    expected.push_back("Insert listed N(t'1', t'shown')");
  }
  expected.push_back(server >= 18 ? "Insert generated N(t'21', t'42')"
                                  : "Insert generated N(t'21')");
  const std::vector<std::string> rest = {
      "Insert t N(t'3', n, n, n, n, n)",
      "Insert t N(t'4', n, n, n, n, n, t'2024-03-01 00:00:00+00')",
      "Truncate (t)",
      "Truncate cascade restart_identity (t, coded)",
      "LogicalMessage transactional prefix=pfx content='hello'",
      "LogicalMessage prefix=pfx content='now'",
      "LogicalMessage prefix=pfx content='kept'",
      "Insert t N(t'7', n, n, n, n, n, t'2024-03-01 00:00:00+00')",
  };
  expected.insert(expected.end(), rest.begin(), rest.end());

  ASSERT_OK_AND_ASSIGN(const std::vector<Message> messages,
                       DecodeGoldenFile(GetParam()));
  ChangeTexts texts;
  std::vector<std::string> changes;
  for (const Message& message : messages) {
    const std::string text = texts.TextOf(message);
    if (!text.empty()) changes.push_back(text);
  }
  EXPECT_THAT(changes, ElementsAreArray(expected));
}

TEST_P(GoldenPlain, CarriesTheOriginAndItsTime) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Message> messages,
                       DecodeGoldenFile(GetParam()));
  for (size_t index = 1; index < messages.size(); ++index) {
    if (!std::holds_alternative<Origin>(messages[index])) continue;
    EXPECT_EQ(ToText(messages[index]), "Origin lsn=0/ABCDEF name=node_b");
    // 2024-01-01.
    EXPECT_EQ(std::get<Begin>(messages[index - 1]).commit_time,
              757382400000000);
    return;
  }
  FAIL() << "no Origin";
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenPlain,
                         ::testing::ValuesIn(FilesOf({"plain"})), NameOf);

class GoldenTwoPhase : public Golden {};

TEST_P(GoldenTwoPhase, TellsHowEachTransactionEnded) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Message> messages,
                       DecodeGoldenFile(GetParam()));
  std::vector<std::string> ends;
  for (const Message& message : messages) {
    if (!absl::StrContains("bPKrpCc", MessageType(message))) continue;
    const std::string text = ToText(message);
    const size_t gid = text.find("gid=");
    ends.push_back(
        absl::StrCat(MessageName(MessageType(message)), " ",
                     gid == std::string::npos ? "" : text.substr(gid)));
  }
  EXPECT_THAT(ends, ElementsAreArray({
                        "BeginPrepare gid=g1",
                        "Prepare gid=g1",
                        "Commit ",
                        "CommitPrepared gid=g1",
                        "BeginPrepare gid=g 2",
                        "Prepare gid=g 2",
                        "RollbackPrepared gid=g 2",
                        "BeginPrepare gid=",
                        "Prepare gid=",
                        "CommitPrepared gid=",
                        "StreamPrepare gid=streamed",
                        "CommitPrepared gid=streamed",
                        "StreamPrepare gid=streamed",
                        "RollbackPrepared gid=streamed",
                    }));
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenTwoPhase,
                         ::testing::ValuesIn(FilesOf({"two_phase"})), NameOf);

class GoldenBinary : public Golden {};

TEST_P(GoldenBinary, HasTextOnlyWhereThereIsNoBinaryForm) {
  ASSERT_OK_AND_ASSIGN(const std::vector<Message> messages,
                       DecodeGoldenFile(GetParam()));
  ChangeTexts texts;
  std::vector<std::string> changes;
  for (const Message& message : messages) {
    const std::string text = texts.TextOf(message);
    if (!text.empty()) changes.push_back(text);
  }
  const std::string middle =
      "b'017b2261223a20317d', "
      "b'00000001000000010000001700000002000000000000000400000001ffffffff', "
      "b'01', b'a0eebc999c0b4ef8bb6d6bb9bd380a11', b'0002b58cd363c000', "
      "b'00ff', n)";
  const std::string start =
      "t'postgres=r/postgres', b'5c', b'000200000000000200011388', ";
  const std::string nulls = "n, n, n, n, n, n, n, n, n, n, n)";
  EXPECT_THAT(
      changes,
      ElementsAreArray({
          absl::StrCat("Insert b N(b'00000001', ", start, "b'c3a9', ", middle),
          absl::StrCat("Update b K(b'00000001', ", nulls, " N(b'00000002', ",
                       start, "b'', ", middle),
          absl::StrCat("Delete b K(b'00000002', ", nulls),
      }));
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenBinary,
                         ::testing::ValuesIn(FilesOf({"binary"})), NameOf);

}  // namespace
}  // namespace walferry
