#include "engine/schema_dump.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/dump_connection.h"
#include "engine/dump_failure.h"
#include "engine/out_of_scope.h"
#include "engine/subprocess.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of all arguments together; Linux allows 2 MiB, environment included.
constexpr size_t kArgumentBytes = size_t{1} << 20;

std::vector<std::string> DumpArguments(const SchemaDumpOptions& options,
                                       const std::string& conninfo,
                                       const std::string& encoding) {
  std::vector<std::string> arguments = {
      options.tools.pg_dump,
      absl::StrCat("--dbname=", conninfo),
      "--no-password",
      "--format=custom",
      "--compress=0",
      "--schema-only",
      "--no-publications",
      "--no-subscriptions",
      // No detour: the script comes back to the server's own encoding.
      absl::StrCat("--encoding=", encoding),
      absl::StrCat("--lock-wait-timeout=",
                   absl::ToInt64Milliseconds(options.lock_timeout)),
  };
  return arguments;
}

// psql's patterns, but between quotes every character stands for itself.
absl::StatusOr<std::vector<std::string>> Exclusions(const Catalog& catalog) {
  const absl::flat_hash_set<std::string> schemas(
      catalog.excluded_schemas.begin(), catalog.excluded_schemas.end());
  std::vector<std::string> arguments;
  size_t bytes = 0;
  for (const std::string& schema : catalog.excluded_schemas) {
    arguments.push_back(
        absl::StrCat("--exclude-schema=", QuoteIdentifier(schema)));
    bytes += arguments.back().size() + 1 + sizeof(char*);
  }
  for (const QualifiedName& table : catalog.excluded_tables) {
    if (schemas.contains(table.schema)) continue;
    arguments.push_back(absl::StrCat("--exclude-table=", Quote(table)));
    bytes += arguments.back().size() + 1 + sizeof(char*);
  }
  if (bytes > kArgumentBytes) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(
                        "too many tables and schemas are out of scope for "
                        "pg_dump's command line: ",
                        arguments.size())),
                    "take whole schemas out with --exclude-schema");
  }
  return arguments;
}

absl::StatusOr<std::string> RunDump(const SchemaDumpOptions& options,
                                    const Catalog& catalog,
                                    const std::string& encoding) {
  ASSIGN_OR_RETURN(const DumpConnection connection,
                   ConnectionForDump(options.source, options.connect_timeout));
  SubprocessOptions dump = {
      .argv = DumpArguments(options, connection.conninfo, encoding),
      .environment = connection.environment,
      .dropped_prefix = "PG",
      .input = connection.input,
      .interrupt = options.interrupt};
  dump.environment.emplace_back("LC_ALL", "C");
  ASSIGN_OR_RETURN(std::vector<std::string> exclusions, Exclusions(catalog));
  dump.argv.insert(dump.argv.end(), exclusions.begin(), exclusions.end());
  ASSIGN_OR_RETURN(SubprocessResult result, RunSubprocess(dump));
  if (!result.ok()) return DumpFailure("pg_dump", result);
  return std::move(result.output);
}

absl::StatusOr<std::string> PrintScript(const SchemaDumpOptions& options,
                                        absl::string_view archive) {
  SubprocessOptions restore = {
      .argv = {options.tools.pg_restore, "--file=-", "--verbose"},
      .environment = {{"LC_ALL", "C"}},
      .dropped_prefix = "PG",
      .input = archive,
      .interrupt = options.interrupt};
  if (options.no_owner) restore.argv.emplace_back("--no-owner");
  if (options.no_acl) restore.argv.emplace_back("--no-acl");
  if (options.no_tablespaces) restore.argv.emplace_back("--no-tablespaces");
  ASSIGN_OR_RETURN(SubprocessResult result, RunSubprocess(restore));
  if (!result.ok()) return DumpFailure("pg_restore", result);
  return std::move(result.output);
}

}  // namespace

absl::StatusOr<SchemaDump> DumpSchema(const SchemaDumpOptions& options,
                                      const Catalog& catalog,
                                      PgConnection& source) {
  const absl::StatusOr<std::string> dumped =
      RunDump(options, catalog, source.parameter("server_encoding"));
  if (absl::IsFailedPrecondition(dumped.status())) {
    // Its server's messages may be in any language: a lost link shows here.
    RETURN_IF_ERROR(source.Exec("SELECT").status());
  }
  ASSIGN_OR_RETURN(const std::string archive, dumped);
  ASSIGN_OR_RETURN(const std::string script, PrintScript(options, archive));
  SchemaDump dump;
  ASSIGN_OR_RETURN(dump.script, ParseDumpScript(script));
  ASSIGN_OR_RETURN(dump.left_out,
                   LeaveOutWhatNeeds(catalog, source, dump.script));
  return dump;
}

}  // namespace walferry
