#include "engine/scope.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

bool Matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool MatchesAny(const std::vector<std::string>& patterns,
                const std::string& name) {
  return std::any_of(
      patterns.begin(), patterns.end(),
      [&](const std::string& pattern) { return Matches(pattern, name); });
}

bool MatchesTable(const std::string& pattern, const QualifiedName& table) {
  const size_t dot = pattern.find('.');
  if (dot == std::string::npos) return Matches(pattern, table.name);
  return Matches(pattern.substr(0, dot), table.schema) &&
         Matches(pattern.substr(dot + 1), table.name);
}

bool MatchesAnyTable(const std::vector<std::string>& patterns,
                     const QualifiedName& table) {
  return std::any_of(
      patterns.begin(), patterns.end(),
      [&](const std::string& pattern) { return MatchesTable(pattern, table); });
}

// The place of the "]" that closes the set which starts at `open`, or npos. One
// that comes first stands for itself.
size_t EndOfSet(absl::string_view pattern, size_t open) {
  size_t at = open + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
  for (const size_t first = at; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
    } else if (pattern[at] == ']' && at > first) {
      return at;
    }
  }
  return absl::string_view::npos;
}

// What fnmatch would read as an ordinary character although it was meant to be
// part of a pattern, or "".
absl::string_view PatternFault(absl::string_view pattern) {
  if (pattern.empty()) return "is empty";
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
      if (at == pattern.size()) return "ends with a backslash";
    } else if (pattern[at] == '[') {
      at = EndOfSet(pattern, at);
      if (at == absl::string_view::npos) return "has a [ without its ]";
    }
  }
  return "";
}

absl::Status CheckPattern(absl::string_view option, absl::string_view whole,
                          absl::string_view part) {
  const absl::string_view fault = PatternFault(part);
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      option, " pattern \"", whole, "\"",
      whole == part ? "" : absl::StrCat(": \"", part, "\""), " ", fault));
}

absl::Status CheckSchemaPatterns(absl::string_view option,
                                 const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    RETURN_IF_ERROR(CheckPattern(option, pattern, pattern));
  }
  return absl::OkStatus();
}

absl::Status CheckTablePatterns(absl::string_view option,
                                const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    const size_t dot = pattern.find('.');
    if (dot == std::string::npos) {
      RETURN_IF_ERROR(CheckPattern(option, pattern, pattern));
      continue;
    }
    const absl::string_view view = pattern;
    RETURN_IF_ERROR(CheckPattern(option, pattern, view.substr(0, dot)));
    RETURN_IF_ERROR(CheckPattern(option, pattern, view.substr(dot + 1)));
  }
  return absl::OkStatus();
}

bool IsSystemSchema(absl::string_view schema) {
  return absl::StartsWith(schema, "pg_") || schema == "information_schema";
}

}  // namespace

absl::StatusOr<Scope> Scope::Create(ScopeOptions options) {
  RETURN_IF_ERROR(CheckSchemaPatterns("schema", options.schemas));
  RETURN_IF_ERROR(
      CheckSchemaPatterns("exclude-schema", options.exclude_schemas));
  RETURN_IF_ERROR(CheckTablePatterns("table", options.tables));
  RETURN_IF_ERROR(CheckTablePatterns("exclude-table", options.exclude_tables));
  RETURN_IF_ERROR(
      CheckTablePatterns("exclude-table-data", options.exclude_table_data));
  return Scope(std::move(options));
}

bool Scope::IncludesSchema(absl::string_view schema) const {
  if (IsSystemSchema(schema)) return false;
  const std::string name(schema);
  return !MatchesAny(options_.exclude_schemas, name) &&
         (options_.schemas.empty() || MatchesAny(options_.schemas, name));
}

bool Scope::IncludesTable(const QualifiedName& table,
                          absl::Span<const QualifiedName> ancestors) const {
  const auto excluded = [&](const QualifiedName& name) {
    return !IncludesSchema(name.schema) ||
           MatchesAnyTable(options_.exclude_tables, name);
  };
  const auto asked_for = [&](const QualifiedName& name) {
    return options_.tables.empty() || MatchesAnyTable(options_.tables, name);
  };
  return !excluded(table) &&
         std::none_of(ancestors.begin(), ancestors.end(), excluded) &&
         (asked_for(table) ||
          std::any_of(ancestors.begin(), ancestors.end(), asked_for));
}

bool Scope::IncludesData(const QualifiedName& table,
                         absl::Span<const QualifiedName> ancestors) const {
  const auto without_data = [&](const QualifiedName& name) {
    return MatchesAnyTable(options_.exclude_table_data, name);
  };
  return IncludesTable(table, ancestors) && !without_data(table) &&
         std::none_of(ancestors.begin(), ancestors.end(), without_data);
}

}  // namespace walferry
