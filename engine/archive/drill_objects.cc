#include "engine/archive/drill_objects.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/name_some.h"
#include "engine/schema/pg_program.h"
#include "protocol/status.h"

namespace walferry {
namespace {

bool IsCompared(const DumpEntry& entry) {
  constexpr absl::string_view kLeftOut[] = {
      "ACL", "BLOB", "BLOBS", "BLOB COMMENTS", "COMMENT", "BLOB METADATA",
      "DATABASE", "DATABASE PROPERTIES", "ENCODING", "DEFAULT ACL",
      "PUBLICATION", "PUBLICATION TABLE", "SEARCHPATH", "SECURITY LABEL",
      "STDSTRINGS", "STATISTICS DATA",
      // Rows, which no schema has.
      "MATERIALIZED VIEW DATA"};
  if (std::find(std::begin(kLeftOut), std::end(kLeftOut), entry.type) !=
      std::end(kLeftOut)) {
    return false;
  }
  if (absl::StartsWith(entry.type, "PUBLICATION ") ||
      absl::StartsWith(entry.type, "SUBSCRIPTION")) {
    return false;
  }
  // Every database has it; whether pg_dump says so depends on the version.
  return entry.type != "SCHEMA" || entry.name != "public";
}

std::map<std::string, int64_t> Counts(const DumpScript& script) {
  std::map<std::string, int64_t> counts;
  for (const DumpEntry& entry : script.entries) {
    if (IsCompared(entry)) ++counts[entry.Display()];
  }
  return counts;
}

// "INDEX 2, TABLE 3".
std::string KindsText(const DumpScript& script) {
  std::map<std::string, int64_t> kinds;
  for (const DumpEntry& entry : script.entries) {
    if (IsCompared(entry)) ++kinds[entry.type];
  }
  return absl::StrJoin(kinds, ", ", absl::PairFormatter(" "));
}

// What is in `here` more often than in `there`.
std::vector<std::string> Surplus(const std::map<std::string, int64_t>& here,
                                 const std::map<std::string, int64_t>& there) {
  std::vector<std::string> names;
  for (const auto& [name, count] : here) {
    const auto found = there.find(name);
    if (count > (found == there.end() ? 0 : found->second)) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace

absl::StatusOr<DumpScript> DescribeDatabase(const TargetDatabase& database,
                                            const PgTools& tools,
                                            const std::string& encoding,
                                            const Interrupt& interrupt) {
  ASSIGN_OR_RETURN(const DumpConnection connection, database.ForChild());
  SubprocessOptions dump = {
      .argv = {tools.pg_dump, absl::StrCat("--dbname=", connection.conninfo),
               "--no-password", "--format=custom", "--compress=0",
               "--schema-only"},
      .environment = connection.environment,
      .input = connection.input,
      .interrupt = &interrupt};
  if (!encoding.empty()) {
    dump.argv.push_back(absl::StrCat("--encoding=", encoding));
  }
  ASSIGN_OR_RETURN(const std::string archive,
                   OutputOf("pg_dump", std::move(dump)));
  ASSIGN_OR_RETURN(const std::string script,
                   OutputOf("pg_restore", {.argv = {tools.pg_restore,
                                                    "--verbose", "--file=-"},
                                           .input = archive,
                                           .interrupt = &interrupt}));
  return ParseDumpScript(script);
}

DrillFinding CompareObjects(const DumpScript& archive,
                            const DumpScript& restored) {
  const std::map<std::string, int64_t> wanted = Counts(archive);
  const std::map<std::string, int64_t> got = Counts(restored);
  const std::vector<std::string> missing = Surplus(wanted, got);
  if (!missing.empty()) {
    return DrillFinding::Failed(
        absl::StrCat(CountOf(missing.size(), "object"),
                     " of the archive missing: ", NameSome(missing)));
  }
  int64_t total = 0;
  for (const auto& [name, count] : wanted) total += count;
  std::string text = CountOf(total, "object");
  if (total > 0) absl::StrAppend(&text, ": ", KindsText(archive));
  if (const std::vector<std::string> more = Surplus(got, wanted);
      !more.empty()) {
    absl::StrAppend(&text, "; not in the archive: ", NameSome(more));
  }
  return DrillFinding::Passed(std::move(text));
}

std::set<std::string> NotValidOnPurpose(const DumpScript& archive) {
  std::set<std::string> names;
  for (const DumpEntry& entry : archive.entries) {
    if (!absl::EndsWith(entry.type, "CONSTRAINT")) continue;
    if (!absl::StrContains(entry.sql, " NOT VALID;") &&
        !absl::StrContains(entry.sql, " NOT ENFORCED")) {
      continue;
    }
    names.insert(absl::StrCat(entry.schema, ".", entry.name));
  }
  return names;
}

}  // namespace walferry
