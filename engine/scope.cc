#include "engine/scope.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "engine/name_pattern.h"
#include "protocol/status.h"

namespace walferry {
namespace {

bool MatchesTable(const std::string& pattern, const QualifiedName& table) {
  const size_t dot = pattern.find('.');
  if (dot == std::string::npos) return MatchesPattern(pattern, table.name);
  return MatchesPattern(pattern.substr(0, dot), table.schema) &&
         MatchesPattern(pattern.substr(dot + 1), table.name);
}

bool MatchesAnyTable(const std::vector<std::string>& patterns,
                     const QualifiedName& table) {
  return std::any_of(
      patterns.begin(), patterns.end(),
      [&](const std::string& pattern) { return MatchesTable(pattern, table); });
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
  RETURN_IF_ERROR(CheckPatterns("schema", options.schemas));
  RETURN_IF_ERROR(CheckPatterns("exclude-schema", options.exclude_schemas));
  RETURN_IF_ERROR(CheckTablePatterns("table", options.tables));
  RETURN_IF_ERROR(CheckTablePatterns("exclude-table", options.exclude_tables));
  RETURN_IF_ERROR(
      CheckTablePatterns("exclude-table-data", options.exclude_table_data));
  RETURN_IF_ERROR(
      CheckTablePatterns("delay-table-data", options.delay_table_data));
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
  return options_.carries_rows() && IncludesTable(table, ancestors) &&
         !without_data(table) &&
         std::none_of(ancestors.begin(), ancestors.end(), without_data);
}

bool Scope::DelaysData(const QualifiedName& table,
                       absl::Span<const QualifiedName> ancestors) const {
  const auto delayed = [&](const QualifiedName& name) {
    return MatchesAnyTable(options_.delay_table_data, name);
  };
  return IncludesData(table, ancestors) &&
         (delayed(table) ||
          std::any_of(ancestors.begin(), ancestors.end(), delayed));
}

}  // namespace walferry
