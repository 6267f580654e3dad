#include "engine/scope_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Filter> FiltersOf(const ScopeOptions& scope) {
  return {{"schema", scope.schemas, false},
          {"exclude-schema", scope.exclude_schemas, true},
          {"table", scope.tables, false},
          {"exclude-table", scope.exclude_tables, true},
          {"exclude-table-data", scope.exclude_table_data, false},
          {"delay-table-data", scope.delay_table_data, false}};
}

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

// `before` is "" where nothing is said.
absl::Status CheckPartUnchanged(const std::string& before, ScopePart now) {
  if (before == PartName(now)) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("this migration was begun with ", PartText(before),
                       ", not with ", PartText(PartName(now)))),
      absl::StrCat(before.empty() ? "go on without it" : "go on with the same",
                   ", choose another --name, or run `walferry cleanup` and "
                   "begin again"));
}

Json ToJson(const std::vector<Filter>& filters) {
  Json json = Json::object();
  for (const Filter& filter : filters) json[filter.option] = filter.patterns;
  return json;
}

std::string ToText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Json> Parse(absl::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr,
                          /*allow_exceptions=*/false);
  if (json.is_object()) return json;
  return absl::DataLossError("ledger: malformed filters");
}

}  // namespace

std::string FiltersToJson(const std::vector<Filter>& filters) {
  return ToText(ToJson(filters));
}

absl::Status CheckFiltersUnchanged(absl::string_view begun_with,
                                   const std::vector<Filter>& now) {
  ASSIGN_OR_RETURN(const Json before, Parse(begun_with));
  const Json current = ToJson(now);
  for (const Filter& filter : now) {
    const Json& old_patterns = before.value(filter.option, Json::array());
    const Json& new_patterns = current[filter.option];
    if (old_patterns == new_patterns) continue;
    const bool grown =
        filter.may_grow &&
        std::all_of(old_patterns.begin(), old_patterns.end(),
                    [&](const Json& pattern) {
                      return std::find(new_patterns.begin(), new_patterns.end(),
                                       pattern) != new_patterns.end();
                    });
    if (grown) continue;
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "this migration was begun with --", filter.option, " ",
                        old_patterns.dump(), ", not ", new_patterns.dump())),
                    filter.way_on.empty()
                        ? "go on with the same filters, or run "
                          "`walferry cleanup` and begin again"
                        : filter.way_on);
  }
  return absl::OkStatus();
}

std::string ScopeToJson(const ScopeOptions& scope) {
  Json json = ToJson(FiltersOf(scope));
  if (const absl::string_view part = PartName(scope.part); !part.empty()) {
    json[kPart] = std::string(part);
  }
  return ToText(json);
}

absl::StatusOr<ScopeOptions> ScopeFromJson(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, Parse(text));
  ScopeOptions scope;
  for (const auto& [option, patterns] :
       {std::pair("schema", &scope.schemas),
        {"exclude-schema", &scope.exclude_schemas},
        {"table", &scope.tables},
        {"exclude-table", &scope.exclude_tables},
        {"exclude-table-data", &scope.exclude_table_data},
        {"delay-table-data", &scope.delay_table_data}}) {
    const auto found = json.find(option);
    if (found == json.end()) continue;
    if (!found->is_array()) {
      return absl::DataLossError("ledger: malformed filters");
    }
    for (const Json& pattern : *found) {
      if (!pattern.is_string()) {
        return absl::DataLossError("ledger: malformed filters");
      }
      patterns->push_back(pattern.get<std::string>());
    }
  }
  for (const ScopePart part : {ScopePart::kSchema, ScopePart::kRows}) {
    if (json.value(kPart, "") == PartName(part)) scope.part = part;
  }
  return scope;
}

std::string ScopeText(const ScopeOptions& scope) {
  std::string text;
  for (const Filter& filter : FiltersOf(scope)) {
    for (const std::string& pattern : filter.patterns) {
      absl::StrAppend(&text, text.empty() ? "" : " ", "--", filter.option, " ",
                      pattern);
    }
  }
  return text;
}

absl::Status CheckScopeUnchanged(absl::string_view begun_with,
                                 const ScopeOptions& now) {
  ASSIGN_OR_RETURN(const Json before, Parse(begun_with));
  RETURN_IF_ERROR(CheckPartUnchanged(before.value(kPart, ""), now.part));
  return CheckFiltersUnchanged(begun_with, FiltersOf(now));
}

}  // namespace walferry
