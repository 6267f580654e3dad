// Checks: what the target lacks to hold the source's objects.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/check/check_context.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kDuplicateObject = "42710";

struct AvailableExtension {
  std::string default_version;
  std::string installed_version;
  std::string installed_schema;
  bool needs_superuser = false;
};
using AvailableExtensions =
    absl::flat_hash_map<std::string, AvailableExtension>;

absl::StatusOr<AvailableExtensions> ReadAvailable(PgConnection& target) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      target.Exec("SELECT e.name, e.default_version, e.installed_version,"
                  " coalesce(v.superuser AND NOT v.trusted, false),"
                  " x.extnamespace::regnamespace"
                  " FROM pg_available_extensions e"
                  " LEFT JOIN pg_extension x ON x.extname = e.name"
                  " LEFT JOIN pg_available_extension_versions v"
                  " ON v.name = e.name AND v.version = e.default_version"));
  AvailableExtensions available;
  for (int row = 0; row < rows.rows(); ++row) {
    available[rows.Text(row, 0)] = {
        .default_version = std::string(rows.Text(row, 1)),
        .installed_version = std::string(rows.Text(row, 2)),
        .installed_schema = std::string(rows.Text(row, 4)),
        .needs_superuser = rows.Bool(row, 3)};
  }
  return available;
}

// By doing: services let roles that are no superuser create some of them.
absl::StatusOr<bool> MayCreate(CheckContext& check,
                               const std::string& extension) {
  const absl::Status created = Probe(
      check.target, absl::StrCat("CREATE SCHEMA walferry_probe;"
                                 " SET LOCAL search_path = walferry_probe;"
                                 " CREATE EXTENSION ",
                                 QuoteIdentifier(extension), " CASCADE"));
  if (created.ok()) return true;
  if (SqlStateOf(created).empty()) return created;
  // The session's database has it, and nobody can try.
  if (check.target_to_come && SqlStateOf(created) == kDuplicateObject) {
    return true;
  }
  check.findings.Blocking(
      {"extension", "target",
       absl::StrCat("the role may not create extension ", extension, ": ",
                    created.message()),
       absl::StrCat("let a superuser run: CREATE EXTENSION ",
                    QuoteIdentifier(extension), ";")});
  return false;
}

struct SourceExtension {
  std::string name;
  std::string version;
  std::string schema;  // As SQL has it.
};

// False if the target cannot have it.
absl::StatusOr<bool> CheckExtension(CheckContext& check,
                                    const AvailableExtensions& available,
                                    const SourceExtension& extension) {
  const auto& [name, version, schema] = extension;
  const auto found = available.find(name);
  if (found == available.end()) {
    check.findings.Blocking(
        {"extension", "target",
         absl::StrCat("extension ", name, " ", version,
                      " of the source is not installed on the target's server"),
         "install its package there, or drop the extension on the source if "
         "nothing needs it"});
    return false;
  }
  const AvailableExtension& there = found->second;
  const bool installed = !there.installed_version.empty() &&
                         !check.options.drop_target_first &&
                         !check.target_to_come;
  const std::string& will_be =
      installed ? there.installed_version : there.default_version;
  if (will_be != version) {
    check.findings.Info({"extension-version", "target",
                         absl::StrCat("extension ", name, " is ", version,
                                      " on the source and will be ", will_be,
                                      " on the target")});
  }
  // CREATE EXTENSION IF NOT EXISTS leaves it there, and what uses its objects
  // names them with the source's schema.
  if (installed && there.installed_schema != schema) {
    check.findings.Blocking(
        {"extension", "target",
         absl::StrCat("extension ", name, " is in schema ", schema,
                      " on the source and in schema ", there.installed_schema,
                      " on the target"),
         absl::StrCat("on the target: ALTER EXTENSION ", QuoteIdentifier(name),
                      " SET SCHEMA ", schema, "; or drop it there")});
    return false;
  }
  if (installed || check.target_superuser || !there.needs_superuser) {
    return true;
  }
  return MayCreate(check, name);
}

absl::Status CheckExtensions(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec("SELECT extname, extversion,"
                        " extnamespace::regnamespace FROM pg_extension"
                        " ORDER BY 1"));
  ASSIGN_OR_RETURN(const AvailableExtensions available,
                   ReadAvailable(check.target));
  std::vector<std::string> names;
  bool all_possible = true;
  for (int row = 0; row < rows.rows(); ++row) {
    names.emplace_back(rows.Text(row, 0));
    ASSIGN_OR_RETURN(
        const bool possible,
        CheckExtension(check, available,
                       {.name = names.back(),
                        .version = std::string(rows.Text(row, 1)),
                        .schema = std::string(rows.Text(row, 2))}));
    all_possible = all_possible && possible;
  }
  if (!all_possible) return absl::OkStatus();
  check.findings.Ok({"extension", "source",
                     names.empty()
                         ? "there is no extension"
                         : absl::StrCat("extensions: ", NameSome(names))});
  return absl::OkStatus();
}

// Which of the source's `names` the target's query does not know.
absl::StatusOr<std::vector<std::string>> MissingOnTarget(
    CheckContext& check, const std::string& source_sql,
    const std::string& target_sql) {
  ASSIGN_OR_RETURN(const std::vector<std::string> needed,
                   QueryColumn(check.source, source_sql));
  ASSIGN_OR_RETURN(const std::vector<std::string> present,
                   QueryColumn(check.target, target_sql));
  const absl::flat_hash_set<std::string> known(present.begin(), present.end());
  std::vector<std::string> missing;
  for (const std::string& name : needed) {
    if (!known.contains(name)) missing.push_back(name);
  }
  return missing;
}

absl::Status CheckTablespaces(CheckContext& check) {
  const std::string relations = RelationOids(check, "rpm");
  ASSIGN_OR_RETURN(
      std::vector<std::string> missing,
      MissingOnTarget(
          check,
          absl::StrCat("SELECT DISTINCT s.spcname FROM pg_class c"
                       " JOIN pg_tablespace s ON s.oid = c.reltablespace"
                       " WHERE c.oid = ANY (",
                       relations,
                       ") OR c.oid IN (SELECT indexrelid FROM pg_index"
                       " WHERE indrelid = ANY (",
                       relations, ")) ORDER BY 1"),
          "SELECT spcname FROM pg_tablespace"
          " WHERE has_tablespace_privilege(oid, 'CREATE')"));
  const size_t to_come = std::erase_if(missing, [&](const std::string& name) {
    return check.tablespaces_to_come.contains(name);
  });
  if (missing.empty() && to_come > 0) {
    check.findings.Info(
        {"tablespace", "target",
         "tablespaces that are needed will be made before; whether the server "
         "can use their directories is only seen then"});
    return absl::OkStatus();
  }
  if (missing.empty()) {
    check.findings.Ok(
        {"tablespace", "target", "the tablespaces that are needed exist"});
    return absl::OkStatus();
  }
  check.findings.Acceptable(
      {"tablespace", "target",
       absl::StrCat("the role cannot use these tablespaces of the source: ",
                    NameSome(missing)),
       "CREATE TABLESPACE them on the target; accepted, everything goes to the "
       "default tablespace"});
  return absl::OkStatus();
}

// Collations of the operating system or ICU, by name.
absl::Status CheckColumnCollations(CheckContext& check) {
  const std::string encoding =
      check.target_to_come
          ? absl::StrCat(
                "pg_char_to_encoding(",
                QuoteLiteral(check.source.parameter("server_encoding")), ")")
          : "(SELECT encoding FROM pg_database"
            " WHERE datname = current_database())";
  ASSIGN_OR_RETURN(
      const std::vector<std::string> missing,
      MissingOnTarget(
          check,
          absl::StrCat("SELECT DISTINCT c.collname FROM pg_attribute a"
                       " JOIN pg_collation c ON c.oid = a.attcollation"
                       " WHERE c.collnamespace = 'pg_catalog'::regnamespace"
                       " AND NOT a.attisdropped AND a.attrelid = ANY (",
                       RelationOids(check, "rpvmf"), ") ORDER BY 1"),
          absl::StrCat("SELECT collname FROM pg_collation"
                       " WHERE collnamespace = 'pg_catalog'::regnamespace"
                       " AND collencoding IN (-1, ",
                       encoding, ")")));
  if (missing.empty()) {
    check.findings.Ok({"column-collation", "target",
                       "the collations that columns name exist"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"column-collation", "target",
       absl::StrCat("columns of the source use collations that the target does "
                    "not have: ",
                    NameSome(missing)),
       check.target_to_come
           ? "install the locales there; as the database is made from "
             "template0: create it yourself, run SELECT "
             "pg_import_system_collations('pg_catalog') in it, and move into "
             "it with --use-existing"
           : "install the locales there, then: SELECT "
             "pg_import_system_collations('pg_catalog');"});
  return absl::OkStatus();
}

absl::Status CheckCompression(CheckContext& check) {
  if (check.source.server_version() < 140000) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::vector<std::string> compressed,
      QueryColumn(check.source,
                  absl::StrCat("SELECT DISTINCT attrelid::regclass::text"
                               " FROM pg_attribute WHERE attcompression = 'l'"
                               " AND NOT attisdropped AND attrelid = ANY (",
                               RelationOids(check, "rpm"), ") ORDER BY 1")));
  ASSIGN_OR_RETURN(
      const int64_t known,
      QueryNumber(check.target,
                  "SELECT count(*) FROM pg_settings WHERE name ="
                  " 'default_toast_compression' AND 'lz4' = ANY (enumvals)"));
  if (compressed.empty() || known > 0) {
    check.findings.Ok({"compression", "target",
                       "the compression methods that columns name exist"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"compression", "target",
       absl::StrCat("columns are compressed by lz4, which the target's server "
                    "was built without, in ",
                    NameSome(compressed)),
       "on the source: ALTER TABLE ... ALTER COLUMN ... SET COMPRESSION "
       "default"});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> TargetContentChecks() {
  return {
      {.id = "extension", .run = CheckExtensions, .creating_only = true},
      {.id = "tablespace", .run = CheckTablespaces, .creating_only = true},
      {.id = "column-collation",
       .run = CheckColumnCollations,
       .creating_only = true},
      {.id = "compression", .run = CheckCompression, .creating_only = true}};
}

}  // namespace walferry
