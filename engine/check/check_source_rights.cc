// Checks: what the role may do on the source, and whether the names that
// walferry will use there are free.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "engine/catalog/publication.h"
#include "engine/check/check_context.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kMaxSlotName = 63;
constexpr size_t kLockedAtOnce = 200;
constexpr size_t kToldOneByOne = 3;

std::string Role(const CheckContext& check) {
  return QuoteIdentifier(check.source.user());
}

bool IsSlotName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxSlotName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                  c == '_';
         });
}

absl::Status CheckSlotOfMigration(CheckContext& check, const PgResult& slot) {
  if (slot.rows() == 0) {
    check.findings.Warning(
        {"slot", "source",
         absl::StrCat("the migration has begun, but its slot ", check.slot,
                      " does not exist")});
  } else if (slot.Text(0, 0) == "lost") {
    check.findings.Blocking(
        {"slot", "source",
         absl::StrCat("slot ", check.slot,
                      " is lost: the server has removed log that the target "
                      "has not applied yet"),
         "walferry cleanup, empty the target and begin again"});
  } else {
    check.findings.Ok(
        {"slot", "source", absl::StrCat("slot ", check.slot, " is there")});
  }
  return absl::OkStatus();
}

absl::Status CheckSlot(CheckContext& check) {
  if (!IsSlotName(check.slot)) {
    check.findings.Blocking(
        {"slot", "source",
         absl::StrCat("a slot cannot be called \"", check.slot,
                      "\": 1 to 63 of a-z, 0-9 and _")});
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const PgResult slot,
                   check.source.Exec(absl::StrCat(
                       "SELECT coalesce(wal_status, ''), active"
                       " FROM pg_replication_slots WHERE slot_name = ",
                       QuoteLiteral(check.slot))));
  if (check.resuming) return CheckSlotOfMigration(check, slot);
  if (slot.rows() == 0) {
    check.findings.Ok(
        {"slot", "source",
         absl::StrCat("the slot's name, ", check.slot, ", is free")});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"slot", "source",
       absl::StrCat("a slot ", check.slot, " exists",
                    slot.Bool(0, 1) ? " and is in use" : ""),
       absl::StrCat("choose another --name or --slot, or, if it is a leftover: "
                    "SELECT pg_drop_replication_slot(",
                    QuoteLiteral(check.slot), ");")});
  return absl::OkStatus();
}

absl::Status CheckPublication(CheckContext& check) {
  if (!check.options.publication.empty()) {
    const absl::Status covers = CheckPublicationCovers(
        check.source, check.publication, check.catalog.tables);
    if (covers.ok()) {
      check.findings.Ok({"publication", "source",
                         absl::StrCat("publication ", check.publication,
                                      " publishes all that is needed")});
    } else if (check.source.broken() || !SqlStateOf(covers).empty()) {
      return covers;
    } else {
      check.findings.Blocking(
          {"publication", "source",
           std::string(absl::StripPrefix(covers.message(), "source: ")),
           HintOf(covers)});
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const int64_t existing,
      QueryNumber(check.source, absl::StrCat("SELECT count(*) FROM"
                                             " pg_publication WHERE pubname = ",
                                             QuoteLiteral(check.publication))));
  if (existing == 0 || check.resuming) {
    check.findings.Ok({"publication", "source",
                       absl::StrCat("the publication is ", check.publication)});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"publication", "source",
       absl::StrCat("a publication ", check.publication, " exists"),
       absl::StrCat("choose another --name, or use it with --publication ",
                    check.publication,
                    ", or, if it is a leftover: DROP "
                    "PUBLICATION ",
                    QuoteIdentifier(check.publication), ";")});
  return absl::OkStatus();
}

absl::Status CheckPublicationRights(CheckContext& check) {
  if (!check.options.publication.empty() || check.resuming) {
    return absl::OkStatus();
  }
  const std::string ask = absl::StrCat(
      "let a superuser run: ",
      CreatePublicationSql(check.publication, check.catalog.tables),
      "; and name it with --publication ", check.publication);
  const absl::Status created = Probe(
      check.source,
      absl::StrCat("CREATE PUBLICATION ", QuoteIdentifier(check.publication)));
  if (!created.ok() && SqlStateOf(created).empty()) return created;
  if (!created.ok()) {
    check.findings.Blocking(
        {"publication-rights", "source",
         absl::StrCat("the role may not create a publication: ",
                      created.message()),
         absl::StrCat("GRANT CREATE ON DATABASE ",
                      QuoteIdentifier(check.source.dbname()), " TO ",
                      Role(check), "; or ", ask)});
  }
  ASSIGN_OR_RETURN(
      const std::vector<std::string> foreign,
      QueryColumn(
          check.source,
          absl::StrCat("SELECT c.oid::regclass::text FROM pg_class c"
                       " WHERE NOT pg_has_role(c.relowner, 'USAGE')"
                       " AND c.oid = ANY (",
                       TableOids(check.catalog, IsPublished), ") ORDER BY 1")));
  if (!foreign.empty()) {
    check.findings.Blocking(
        {"publication-rights", "source",
         absl::StrCat("only its owner may publish a table, and the role does "
                      "not own ",
                      NameSome(foreign)),
         absl::StrCat("grant it the owners' roles, or ", ask)});
  } else if (created.ok()) {
    check.findings.Ok(
        {"publication-rights", "source", "the role may publish the tables"});
  }
  return absl::OkStatus();
}

// From version 14 on there is a role that may read everything.
std::string OrReadAll(const CheckContext& check) {
  if (check.source.server_version() < 140000) return "";
  return absl::StrCat(" or, for all schemas: GRANT pg_read_all_data TO ",
                      Role(check), ";");
}

struct Unreadable {
  QualifiedName name;
  bool is_sequence = false;
};

// All of one schema.
void TellOfUnreadable(CheckContext& check,
                      const std::vector<Unreadable>& relations) {
  if (relations.size() <= kToldOneByOne) {
    for (const Unreadable& relation : relations) {
      const absl::string_view kind =
          relation.is_sequence ? "sequence" : "table";
      check.findings.Blocking(
          {"read-rights", ToDisplay(relation.name),
           absl::StrCat("the role may not read this ", kind, " of the source"),
           absl::StrCat("GRANT SELECT ON ", absl::AsciiStrToUpper(kind), " ",
                        Quote(relation.name), " TO ", Role(check), ";")});
    }
    return;
  }
  std::vector<std::string> names;
  for (const Unreadable& relation : relations) {
    names.push_back(relation.name.name);
  }
  const std::string& schema = relations.front().name.schema;
  const std::string of_schema = absl::StrCat(
      " IN SCHEMA ", QuoteIdentifier(schema), " TO ", Role(check), ";");
  check.findings.Blocking(
      {"read-rights", schema,
       absl::StrCat("the role may not read ", names.size(),
                    " tables and sequences in this schema of the source: ",
                    NameSome(names)),
       absl::StrCat("GRANT SELECT ON ALL TABLES", of_schema,
                    " GRANT SELECT ON ALL SEQUENCES", of_schema,
                    OrReadAll(check))});
}

// SELECT on the whole table is what COPY, pg_dump and LOCK TABLE take.
absl::StatusOr<bool> MayReadAll(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult schemas,
      check.source.Exec(absl::StrCat(
          "SELECT DISTINCT n.nspname FROM pg_namespace n JOIN pg_class c"
          " ON c.relnamespace = n.oid WHERE c.oid = ANY (",
          RelationOids(check, "rpSm"),
          ") AND NOT has_schema_privilege(n.oid, 'USAGE') ORDER BY 1")));
  for (int row = 0; row < schemas.rows(); ++row) {
    const std::string schema = QuoteIdentifier(schemas.Text(row, 0));
    check.findings.Blocking(
        {"read-rights", std::string(schemas.Text(row, 0)),
         "the role may not look into this schema of the source",
         absl::StrCat("GRANT USAGE ON SCHEMA ", schema, " TO ", Role(check),
                      ";", OrReadAll(check))});
  }
  ASSIGN_OR_RETURN(
      const PgResult tables,
      check.source.Exec(absl::StrCat(
          "SELECT n.nspname, c.relname, c.relkind = 'S' FROM pg_class c"
          " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (",
          RelationOids(check, check.options.sequence_sync ? "rpS" : "rp"),
          ") AND NOT CASE WHEN c.relkind = 'S'"
          " THEN has_sequence_privilege(c.oid, 'SELECT')"
          " ELSE has_table_privilege(c.oid, 'SELECT') END"
          " ORDER BY 1, 2")));
  std::vector<Unreadable> unreadable;
  for (int row = 0; row < tables.rows(); ++row) {
    if (!unreadable.empty() &&
        unreadable.back().name.schema != tables.Text(row, 0)) {
      TellOfUnreadable(check, std::exchange(unreadable, {}));
    }
    unreadable.push_back({.name = {std::string(tables.Text(row, 0)),
                                   std::string(tables.Text(row, 1))},
                          .is_sequence = tables.Bool(row, 2)});
  }
  TellOfUnreadable(check, unreadable);
  return schemas.rows() == 0 && tables.rows() == 0;
}

// Takes the locks that the copy takes.
absl::Status TryLocks(CheckContext& check) {
  const std::vector<CatalogTable>& tables = check.catalog.tables;
  for (size_t from = 0; from < tables.size(); from += kLockedAtOnce) {
    const size_t end = std::min(tables.size(), from + kLockedAtOnce);
    const std::string list =
        absl::StrJoin(tables.begin() + static_cast<ptrdiff_t>(from),
                      tables.begin() + static_cast<ptrdiff_t>(end), ", ",
                      [](std::string* out, const CatalogTable& table) {
                        absl::StrAppend(out, "ONLY ", Quote(table.name));
                      });
    RETURN_IF_ERROR(Probe(check.source, absl::StrCat("LOCK TABLE ", list,
                                                     " IN ACCESS SHARE MODE")));
  }
  return absl::OkStatus();
}

absl::Status CheckReadRights(CheckContext& check) {
  ASSIGN_OR_RETURN(const bool may_read, MayReadAll(check));
  if (!may_read) return absl::OkStatus();
  const absl::Status locked = TryLocks(check);
  if (locked.ok()) {
    check.findings.Ok(
        {"read-rights", "source",
         absl::StrCat("the role may read ",
                      CountOf(static_cast<int64_t>(check.catalog.tables.size()),
                              "table"),
                      " and lock them against being altered")});
  } else if (SqlStateOf(locked).empty()) {
    return locked;
  } else {
    check.findings.Warning(
        {"read-rights", "source",
         absl::StrCat("the tables cannot be locked against being altered right "
                      "now: ",
                      locked.message()),
         HintOf(locked)});
  }
  return absl::OkStatus();
}

absl::Status CheckRowSecurity(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> hidden,
      QueryColumn(check.source,
                  absl::StrCat("SELECT c.oid::regclass::text FROM pg_class c"
                               " WHERE row_security_active(c.oid)"
                               " AND c.oid = ANY (",
                               TableOids(check.catalog,
                                         [](const CatalogTable& table) {
                                           return table.copy_data;
                                         }),
                               ") ORDER BY 1")));
  if (hidden.empty()) {
    check.findings.Ok(
        {"row-security", "source", "no policy hides rows from the role"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"row-security", "source",
       absl::StrCat("row-level security may hide rows from the role in ",
                    NameSome(hidden)),
       absl::StrCat("ALTER ROLE ", Role(check),
                    " BYPASSRLS; or connect as the tables' owner")});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> SourceRightsChecks() {
  return {{"slot", CheckSlot, /*online_only=*/true},
          {"publication", CheckPublication, /*online_only=*/true},
          {"publication-rights", CheckPublicationRights, /*online_only=*/true},
          {"read-rights", CheckReadRights},
          {"row-security", CheckRowSecurity}};
}

}  // namespace walferry
