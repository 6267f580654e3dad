// Checks: what else is in the database, and what becomes of it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Triggers or rules by what pg_trigger.tgenabled, pg_rewrite.ev_enabled says.
struct ByState {
  std::vector<std::string> ordinary;  // O: not for applied changes.
  std::vector<std::string> always;    // A and R: for applied changes too.
};

absl::StatusOr<ByState> ReadByState(PgConnection& source,
                                    const std::string& sql) {
  ASSIGN_OR_RETURN(const PgResult rows, source.Exec(sql));
  ByState found;
  for (int row = 0; row < rows.rows(); ++row) {
    std::string name =
        absl::StrCat(rows.Text(row, 1), " on ", rows.Text(row, 0));
    const absl::string_view state = rows.Text(row, 2);
    if (state == "O")
      found.ordinary.push_back(std::move(name));
    else if (state != "D")
      found.always.push_back(std::move(name));
  }
  return found;
}

absl::Status CheckTriggers(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const ByState triggers,
      ReadByState(check.source,
                  absl::StrCat("SELECT tgrelid::regclass::text, tgname,"
                               " tgenabled FROM pg_trigger"
                               " WHERE NOT tgisinternal AND tgparentid = 0"
                               " AND tgrelid = ANY (",
                               RelationOids(check, "rp"), ") ORDER BY 1, 2")));
  check.findings.Ok(
      {"trigger", "source",
       absl::StrCat(CountOf(static_cast<int64_t>(triggers.ordinary.size()),
                            "ordinary trigger"),
                    ": silent on the target until the cutover")});
  if (!triggers.always.empty()) {
    check.findings.Warning(
        {"trigger-on-target", "source",
         absl::StrCat("triggers with ENABLE ALWAYS or ENABLE REPLICA fire on "
                      "the target for applied changes, after they fired on the "
                      "source: ",
                      NameSome(triggers.always)),
         "see that they do no harm twice, or on the source: ALTER TABLE ... "
         "ENABLE TRIGGER ..."});
  }
  return absl::OkStatus();
}

absl::Status CheckRules(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const ByState rules,
      ReadByState(check.source,
                  absl::StrCat("SELECT ev_class::regclass::text, rulename,"
                               " ev_enabled FROM pg_rewrite"
                               " WHERE rulename <> '_RETURN'"
                               " AND ev_class = ANY (",
                               RelationOids(check, "rp"), ") ORDER BY 1, 2")));
  if (rules.always.empty()) {
    check.findings.Ok(
        {"rule", "source",
         absl::StrCat(
             CountOf(static_cast<int64_t>(rules.ordinary.size()), "rule"),
             " on tables: silent on the target until the cutover")});
    return absl::OkStatus();
  }
  check.findings.Acceptable(
      {"rule", "source",
       absl::StrCat("rules with ENABLE ALWAYS or ENABLE REPLICA change what "
                    "applied statements do: ",
                    NameSome(rules.always)),
       "on the source: ALTER TABLE ... ENABLE RULE ..."});
  return absl::OkStatus();
}

// By doing: services let roles that are no superuser create them, or not.
constexpr char kCreateEventTrigger[] =
    "CREATE SCHEMA walferry_probe;"
    " CREATE FUNCTION walferry_probe.f() RETURNS event_trigger"
    " LANGUAGE plpgsql AS 'BEGIN END';"
    " CREATE EVENT TRIGGER walferry_probe ON ddl_command_end"
    " WHEN TAG IN ('ALTER CONVERSION')"
    " EXECUTE FUNCTION walferry_probe.f()";

// No extension's. Disabled ones are created too.
constexpr char kEventTriggers[] =
    "SELECT evtname FROM pg_event_trigger t WHERE"
    " NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'"
    " AND d.classid = 'pg_event_trigger'::regclass AND d.objid = t.oid)"
    " ORDER BY 1";

absl::Status CheckEventTriggers(CheckContext& check) {
  ASSIGN_OR_RETURN(const std::vector<std::string> on_source,
                   QueryColumn(check.source, kEventTriggers));
  if (on_source.empty()) {
    check.findings.Ok({"event-trigger", "source", "there is no event trigger"});
    return absl::OkStatus();
  }
  const absl::Status created = Probe(check.target, kCreateEventTrigger);
  if (created.ok()) {
    check.findings.Ok({"event-trigger", "source",
                       absl::StrCat("created on the target after everything "
                                    "else: ",
                                    NameSome(on_source))});
  } else if (SqlStateOf(created).empty()) {
    return created;
  } else {
    check.findings.Blocking(
        {"event-trigger", "target",
         absl::StrCat(
             "the role may not create event triggers: ", created.message(),
             "; the source has ", NameSome(on_source)),
         "take a superuser for the target, or drop them on the source"});
  }
  return absl::OkStatus();
}

absl::Status CheckTargetEventTriggers(CheckContext& check) {
  ASSIGN_OR_RETURN(const std::vector<std::string> on_target,
                   QueryColumn(check.target,
                               "SELECT evtname FROM pg_event_trigger"
                               " WHERE evtenabled IN ('O', 'A') ORDER BY 1"));
  if (on_target.empty() || check.resuming || check.options.drop_target_first) {
    check.findings.Ok(
        {"target-event-trigger", "target", "no event trigger gets in the way"});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"target-event-trigger", "target",
       absl::StrCat("event triggers of the target fire when the schema is "
                    "created there: ",
                    NameSome(on_target))});
  return absl::OkStatus();
}

absl::Status CheckSequences(CheckContext& check) {
  if (!check.options.scope.carries_rows()) {
    check.findings.Ok({"sequence", "source",
                       "sequences begin as they are defined: the schema alone "
                       "is carried"});
    return absl::OkStatus();
  }
  const auto count = static_cast<int64_t>(check.catalog.sequences.size());
  if (count == 0 || check.options.sequence_sync) {
    check.findings.Ok({"sequence", "source",
                       absl::StrCat(CountOf(count, "sequence"),
                                    count == 0 ? ""
                                               : ": brought to the source's "
                                                 "values at the cutover")});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"sequence", "source",
       absl::StrCat(CountOf(count, "sequence"),
                    " will begin anew on the target: the first INSERT after "
                    "the cutover may meet a key that exists"),
       "let walferry set them, or do it before the application writes"});
  return absl::OkStatus();
}

// pg_read_all_data does not help with them.
constexpr char kClosedLargeObjects[] =
    "SELECT CASE WHEN current_setting('is_superuser')::boolean OR"
    " current_setting('lo_compat_privileges')::boolean THEN 0 ELSE"
    " (SELECT count(*) FROM pg_largeobject_metadata m"
    " WHERE NOT pg_has_role(m.lomowner, 'USAGE') AND NOT EXISTS"
    " (SELECT FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'"
    " AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))) END";

absl::Status CheckLargeObjects(CheckContext& check) {
  ASSIGN_OR_RETURN(const int64_t count,
                   QueryNumber(check.source,
                               "SELECT count(*) FROM pg_largeobject_metadata"));
  if (!check.options.scope.carries_rows()) {
    check.findings.Ok({"large-object", "source",
                       "large objects stay: the schema alone is carried"});
    return absl::OkStatus();
  }
  if (count == 0) {
    check.findings.Ok({"large-object", "source", "there is no large object"});
    return absl::OkStatus();
  }
  const std::string objects = CountOf(count, "large object");
  if (CarriesLargeObjects(check.options)) {
    ASSIGN_OR_RETURN(const int64_t closed,
                     QueryNumber(check.source, kClosedLargeObjects));
    if (closed == 0) {
      check.findings.Ok({"large-object", "source",
                         absl::StrCat(objects, " will be carried")});
    } else {
      check.findings.Blocking(
          {"large-object", "source",
           absl::StrCat("the role may not read ", closed, " of ", objects),
           absl::StrCat("connect as their owner or as a superuser, or as a "
                        "superuser: ALTER ROLE ",
                        QuoteIdentifier(check.source.user()),
                        " SET lo_compat_privileges = on;")});
    }
    return absl::OkStatus();
  }
  check.findings.Acceptable(
      {"large-object", "source",
       absl::StrCat(objects,
                    " will not be carried: columns that refer to them point "
                    "nowhere on the target"),
       "carry them yourself (pg_dump -b), or remove what is "
       "orphaned with vacuumlo"});
  return absl::OkStatus();
}

// What pg_dump of one database does not contain, or the migration leaves out.
absl::Status CheckLeftBehind(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> subscriptions,
      QueryColumn(check.source,
                  "SELECT subname FROM pg_subscription WHERE subdbid ="
                  " (SELECT oid FROM pg_database"
                  " WHERE datname = current_database()) ORDER BY 1"));
  if (!subscriptions.empty()) {
    check.findings.Warning(
        {"subscription", "source",
         absl::StrCat("subscriptions of the source are not carried: ",
                      NameSome(subscriptions)),
         "stop them before the cutover and create them on the target"});
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> publications,
                   QueryColumn(check.source,
                               absl::StrCat("SELECT pubname FROM pg_publication"
                                            " WHERE pubname <> ",
                                            QuoteLiteral(check.publication),
                                            " ORDER BY 1")));
  if (!publications.empty()) {
    check.findings.Info(
        {"other-publication", "source",
         absl::StrCat("publications of the source are not carried: ",
                      NameSome(publications)),
         "create them on the target if others subscribe to it"});
  }
  return absl::OkStatus();
}

absl::Status CheckDatabaseSettings(CheckContext& check) {
  if (check.options.of_server_move) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::vector<std::string> settings,
      QueryColumn(check.source,
                  "SELECT split_part(c, '=', 1) || coalesce(' for role ' ||"
                  " nullif(s.setrole, 0)::regrole::text, '')"
                  " FROM pg_db_role_setting s JOIN pg_database d"
                  " ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) c"
                  " WHERE d.datname = current_database() ORDER BY 1"));
  if (settings.empty()) {
    check.findings.Ok(
        {"database-setting", "source", "no setting is tied to the database"});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"database-setting", "source",
       absl::StrCat("settings that are tied to the database are not carried: ",
                    NameSome(settings)),
       "ALTER DATABASE ... SET ... (and ALTER ROLE ... IN DATABASE ... SET) on "
       "the target; psql's \\drds shows them"});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> ObjectChecks() {
  return {
      {"trigger", CheckTriggers, /*online_only=*/true},
      {"rule", CheckRules, /*online_only=*/true},
      {.id = "event-trigger", .run = CheckEventTriggers, .creating_only = true},
      {.id = "target-event-trigger",
       .run = CheckTargetEventTriggers,
       .creating_only = true,
       .in_target = true},
      {"sequence", CheckSequences},
      {"large-object", CheckLargeObjects},
      {.id = "subscription", .run = CheckLeftBehind, .creating_only = true},
      {.id = "database-setting",
       .run = CheckDatabaseSettings,
       .creating_only = true}};
}

}  // namespace walferry
