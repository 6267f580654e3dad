#ifndef TESTS_TESTING_STATUS_MATCHERS_H_
#define TESTS_TESTING_STATUS_MATCHERS_H_

// GoogleTest for absl::Status and absl::StatusOr: a failure prints the whole
// status, not "false".
//
//   ASSERT_OK(server.Exec("CREATE TABLE t (i int)"));
//   ASSERT_OK_AND_ASSIGN(auto server, PgServer::Start({}));
//   EXPECT_THAT(result, IsOkAndHolds(7));
//   EXPECT_THAT(result, StatusIs(absl::StatusCode::kNotFound, "no slot
//   \"s\""));

#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  if (!StatusOf(arg).ok()) *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P(IsOkAndHolds, value, "is OK and holds the value") {
  if (!arg.ok()) {
    *result_listener << arg.status().ToString();
    return false;
  }
  return testing::ExplainMatchResult(value, *arg, result_listener);
}

// `message` is the whole text, or a matcher for it.
MATCHER_P2(StatusIs, code, message, "is that status") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return status.code() == code &&
         testing::ExplainMatchResult(
             testing::SafeMatcherCast<const std::string&>(
                 testing::Matcher<std::string>(message)),
             std::string(status.message()), result_listener);
}

}  // namespace walferry

#define ASSERT_OK(expression) ASSERT_THAT(expression, ::walferry::IsOk())
#define EXPECT_OK(expression) EXPECT_THAT(expression, ::walferry::IsOk())

#define ASSERT_OK_AND_ASSIGN(declaration, expression)                          \
  ASSERT_OK_AND_ASSIGN_INNER(WALFERRY_TEST_CONCAT(status_or_value_, __LINE__), \
                             declaration, expression)
#define ASSERT_OK_AND_ASSIGN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                       \
  ASSERT_TRUE(temporary.ok()) << temporary.status();                   \
  declaration = *std::move(temporary)
#define WALFERRY_TEST_CONCAT(a, b) WALFERRY_TEST_CONCAT_INNER(a, b)
#define WALFERRY_TEST_CONCAT_INNER(a, b) a##b

#endif  // TESTS_TESTING_STATUS_MATCHERS_H_
