#include "tests/differential/applied_sets.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace walferry {
namespace {

void Count(absl::string_view sql, AppliedSets* sets) {
  const auto begins = [sql](absl::string_view text) {
    return absl::StartsWith(sql, text);
  };
  const auto has = [sql](absl::string_view text) {
    return absl::StrContains(sql, text);
  };
  const bool many = has("pg_catalog.unnest($1::") || has(" ANY ($1::");
  if (begins("COPY ")) {
    ++sets->copies;
  } else if (begins("ROLLBACK TO")) {
    ++(has("walferry_table") ? sets->replaced : sets->halved);
  } else if (has("walferry\"") || has("walferry.stream")) {
    // The position.
  } else if (begins("DELETE ")) {
    ++(many ? sets->deletes : sets->single);
  } else if (begins("UPDATE ")) {
    ++(many ? sets->updates : sets->single);
  } else if (begins("INSERT ")) {
    ++(many ? sets->inserts : sets->single);
  }
}

}  // namespace

AppliedSets ReadAppliedSets(const std::string& log) {
  AppliedSets sets;
  for (const absl::string_view line : absl::StrSplit(log, '\n')) {
    // The test's own statements have another application name.
    constexpr absl::string_view kStatement = " walferry: LOG:  statement: ";
    constexpr absl::string_view kExecute = " walferry: LOG:  execute ";
    if (const size_t at = line.find(kStatement);
        at != absl::string_view::npos) {
      Count(line.substr(at + kStatement.size()), &sets);
    } else if (const size_t prepared = line.find(kExecute);
               prepared != absl::string_view::npos) {
      // "execute NAME: SQL"
      const size_t colon = line.find(": ", prepared + kExecute.size());
      if (colon != absl::string_view::npos)
        Count(line.substr(colon + 2), &sets);
    }
  }
  return sets;
}

std::string ToText(const AppliedSets& sets) {
  return absl::StrCat(sets.deletes, " sets of deletes, ", sets.updates,
                      " of updates, ", sets.inserts, " of inserts, ",
                      sets.copies, " COPY, ", sets.replaced,
                      " times rows replaced, ", sets.halved, " sets undone, ",
                      sets.single, " changes one by one");
}

}  // namespace walferry
