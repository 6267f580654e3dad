#include "engine/verify/check_comparison.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/name_some.h"
#include "protocol/pg_result.h"
#include "protocol/status.h"

namespace walferry {
namespace {

struct Answer {
  bool ok = false;
  bool null = false;
  std::string text;  // Or the error.
};

// In the session's transaction, which goes on however it ends.
absl::StatusOr<Answer> Ask(PgConnection& session, const std::string& sql) {
  // Tables are found where the operator's own session would find them.
  RETURN_IF_ERROR(
      session.Exec("SAVEPOINT asked; SET LOCAL search_path TO DEFAULT")
          .status());
  const absl::StatusOr<PgResult> answer = session.Exec(sql);
  if (session.broken()) return answer.status();
  RETURN_IF_ERROR(session.Exec("ROLLBACK TO SAVEPOINT asked").status());
  if (!answer.ok()) {
    return Answer{.ok = false, .text = std::string(answer.status().message())};
  }
  if (answer->rows() != 1 || answer->columns() != 1) {
    return Answer{.ok = false,
                  .text = absl::StrCat("expected one value, got ",
                                       CountOf(answer->rows(), "row"), " of ",
                                       CountOf(answer->columns(), "column"))};
  }
  if (answer->IsNull(0, 0)) {
    return Answer{.ok = true, .null = true, .text = "NULL"};
  }
  return Answer{.ok = true, .text = std::string(answer->Text(0, 0))};
}

bool HasExpectation(const SqlCheck& check) {
  return check.expect.has_value() || check.minimum.has_value() ||
         check.maximum.has_value();
}

absl::StatusOr<bool> Holds(PgConnection& session, const SqlCheck& check,
                           const Answer& given) {
  if (given.null) return false;
  const std::string& answer = given.text;
  ASSIGN_OR_RETURN(
      const std::string holds,
      session.QueryValue(absl::StrCat("SELECT ", ConditionFor(check, answer))));
  return holds == "t";
}

}  // namespace

absl::StatusOr<CheckVerdict> CompareAnswers(SessionPair& sessions,
                                            const SqlCheck& check) {
  CheckVerdict verdict{.name = check.name};
  absl::StatusOr<Answer> source = Ask(sessions.source, check.sql);
  if (!source.ok()) return Annotate(source.status(), "source");
  absl::StatusOr<Answer> target = Ask(sessions.target, check.sql);
  if (!target.ok()) return Annotate(target.status(), "target");
  verdict.source = source->text;
  verdict.target = target->text;
  if (!source->ok || !target->ok) {
    verdict.unknown = !source->ok && !target->ok;
    verdict.detail =
        absl::StrCat("the query failed on ", source->ok   ? "the target"
                                             : target->ok ? "the source"
                                                          : "both sides");
    return verdict;
  }
  verdict.equal = source->null == target->null && source->text == target->text;
  if (!verdict.equal && check.tolerance.has_value() && !source->null) {
    SqlCheck near = check;
    near.expect = source->text;
    near.minimum.reset();
    near.maximum.reset();
    ASSIGN_OR_RETURN(verdict.equal, Holds(sessions.target, near, *target));
  }
  if (!verdict.equal) {
    verdict.detail = "the answers differ";
    return verdict;
  }
  if (!HasExpectation(check)) return verdict;
  for (const Answer* answer : {&*source, &*target}) {
    ASSIGN_OR_RETURN(const bool holds, Holds(sessions.target, check, *answer));
    if (holds) continue;
    verdict.equal = false;
    verdict.detail =
        absl::StrCat("not as expected, which is ", ExpectationText(check));
  }
  return verdict;
}

}  // namespace walferry
