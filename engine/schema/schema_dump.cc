#include "engine/schema/schema_dump.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/schema/dump_connection.h"
#include "engine/schema/dump_exclusions.h"
#include "engine/schema/dump_failure.h"
#include "engine/schema/out_of_scope.h"
#include "engine/schema/subprocess.h"
#include "protocol/status.h"

namespace walferry {
namespace {

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

absl::StatusOr<SubprocessResult> RunDump(const SchemaDumpOptions& options,
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
  ASSIGN_OR_RETURN(const std::vector<std::string> exclusions,
                   DumpExclusions(catalog));
  dump.argv.insert(dump.argv.end(), exclusions.begin(), exclusions.end());
  ASSIGN_OR_RETURN(SubprocessResult result, RunSubprocess(dump));
  if (!result.ok()) return DumpFailure("pg_dump", result);
  return result;
}

absl::StatusOr<SubprocessResult> PrintScript(const SchemaDumpOptions& options,
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
  return result;
}

}  // namespace

absl::StatusOr<SchemaDump> DumpSchemaAlone(const SchemaDumpOptions& options,
                                           const Catalog& catalog,
                                           const std::string& encoding) {
  ASSIGN_OR_RETURN(const SubprocessResult archive,
                   RunDump(options, catalog, encoding));
  ASSIGN_OR_RETURN(const SubprocessResult script,
                   PrintScript(options, archive.output));
  SchemaDump dump;
  ASSIGN_OR_RETURN(dump.script, ParseDumpScript(script.output));
  dump.warnings = DumpWarnings("pg_dump", archive.errors);
  for (std::string& warning : DumpWarnings("pg_restore", script.errors)) {
    dump.warnings.push_back(std::move(warning));
  }
  return dump;
}

absl::StatusOr<SchemaDump> DumpSchema(const SchemaDumpOptions& options,
                                      const Catalog& catalog,
                                      PgConnection& source) {
  absl::StatusOr<SchemaDump> dump =
      DumpSchemaAlone(options, catalog, source.parameter("server_encoding"));
  if (absl::IsFailedPrecondition(dump.status())) {
    // Its server's messages may be in any language: a lost link shows here.
    RETURN_IF_ERROR(source.Exec("SELECT").status());
  }
  RETURN_IF_ERROR(dump.status());
  ASSIGN_OR_RETURN(dump->left_out,
                   LeaveOutWhatNeeds(catalog, source, dump->script));
  return dump;
}

}  // namespace walferry
