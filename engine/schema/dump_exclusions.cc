#include "engine/schema/dump_exclusions.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of all arguments together; Linux allows 2 MiB, environment included.
constexpr size_t kArgumentBytes = size_t{1} << 20;

absl::Status CheckSize(const std::vector<std::string>& arguments) {
  size_t bytes = 0;
  for (const std::string& argument : arguments) {
    bytes += argument.size() + 1 + sizeof(char*);
  }
  if (bytes <= kArgumentBytes) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      "too many tables and schemas are out of scope for "
                      "pg_dump's command line: ",
                      arguments.size())),
                  "take whole schemas out with --exclude-schema");
}

// psql's patterns, but between quotes every character stands for itself.
std::vector<std::string> Arguments(const Catalog& catalog) {
  const absl::flat_hash_set<std::string> schemas(
      catalog.excluded_schemas.begin(), catalog.excluded_schemas.end());
  std::vector<std::string> arguments;
  for (const std::string& schema : catalog.excluded_schemas) {
    arguments.push_back(
        absl::StrCat("--exclude-schema=", QuoteIdentifier(schema)));
  }
  for (const QualifiedName& table : catalog.excluded_tables) {
    if (schemas.contains(table.schema)) continue;
    arguments.push_back(absl::StrCat("--exclude-table=", Quote(table)));
  }
  return arguments;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> DumpExclusions(
    const Catalog& catalog) {
  std::vector<std::string> arguments = Arguments(catalog);
  RETURN_IF_ERROR(CheckSize(arguments));
  return arguments;
}

absl::StatusOr<std::vector<std::string>> DumpExclusionsWithData(
    const Catalog& catalog) {
  std::vector<std::string> arguments = Arguments(catalog);
  for (const CatalogTable& table : catalog.tables) {
    if (table.copy_data) continue;
    arguments.push_back(
        absl::StrCat("--exclude-table-data=", Quote(table.name)));
  }
  RETURN_IF_ERROR(CheckSize(arguments));
  return arguments;
}

}  // namespace walferry
