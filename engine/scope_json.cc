#include "engine/scope_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Json = nlohmann::ordered_json;

struct Filter {
  const char* name;
  std::vector<std::string> ScopeOptions::*patterns;
  bool may_grow;
};
constexpr Filter kFilters[] = {
    {"schema", &ScopeOptions::schemas, false},
    {"exclude-schema", &ScopeOptions::exclude_schemas, true},
    {"table", &ScopeOptions::tables, false},
    {"exclude-table", &ScopeOptions::exclude_tables, true},
    {"exclude-table-data", &ScopeOptions::exclude_table_data, false},
};

// Where nothing is said, it is all: as in ledgers of before there was a choice.
constexpr char kPart[] = "part";

absl::string_view PartName(ScopePart part) {
  switch (part) {
    case ScopePart::kAll:
      return "";
    case ScopePart::kSchema:
      return "schema-only";
    case ScopePart::kRows:
      return "data-only";
  }
  return "";
}

// As somebody says it on the command line.
std::string PartText(absl::string_view name) {
  return name.empty() ? "everything" : absl::StrCat("--", name);
}

absl::Status CheckPartUnchanged(const Json& begun_with, ScopePart now) {
  const std::string before = begun_with.value(kPart, "");
  if (before == PartName(now)) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("this migration was begun with ", PartText(before),
                       ", not with ", PartText(PartName(now)))),
      absl::StrCat(before.empty() ? "go on without it" : "go on with the same",
                   ", choose another --name, or run `walferry cleanup` and "
                   "begin again"));
}

}  // namespace

std::string ScopeToJson(const ScopeOptions& scope) {
  Json json = Json::object();
  for (const Filter& filter : kFilters) {
    json[filter.name] = scope.*filter.patterns;
  }
  if (const absl::string_view part = PartName(scope.part); !part.empty()) {
    json[kPart] = std::string(part);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::Status CheckScopeUnchanged(absl::string_view begun_with,
                                 const ScopeOptions& now) {
  const Json before = Json::parse(begun_with.begin(), begun_with.end(), nullptr,
                                  /*allow_exceptions=*/false);
  const Json current = Json::parse(ScopeToJson(now));
  if (!before.is_object()) {
    return absl::DataLossError("ledger: malformed filters");
  }
  RETURN_IF_ERROR(CheckPartUnchanged(before, now.part));
  for (const Filter& filter : kFilters) {
    const Json& old_patterns = before.value(filter.name, Json::array());
    const Json& new_patterns = current[filter.name];
    if (old_patterns == new_patterns) continue;
    const bool grown =
        filter.may_grow &&
        std::all_of(old_patterns.begin(), old_patterns.end(),
                    [&](const Json& pattern) {
                      return std::find(new_patterns.begin(), new_patterns.end(),
                                       pattern) != new_patterns.end();
                    });
    if (grown) continue;
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat("this migration was begun with --", filter.name, " ",
                         old_patterns.dump(), ", not ", new_patterns.dump())),
        "go on with the same filters, or run `walferry cleanup` and begin "
        "again");
  }
  return absl::OkStatus();
}

}  // namespace walferry
