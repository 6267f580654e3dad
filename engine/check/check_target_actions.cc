// Checks: what acts on rows that are put into the target's own tables, and what
// should look at them and does not.

#include "engine/check/check_target_actions.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/connect/old_servers.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// 4: pg_trigger.h's TRIGGER_TYPE_INSERT.
absl::Status CheckTriggersThere(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const std::vector<std::string> triggers,
      QueryColumn(
          check.target,
          absl::StrCat("SELECT tgname || ' on ' ||"
                       " tgrelid::regclass::text FROM pg_trigger"
                       " WHERE NOT tgisinternal AND (tgtype & 4) <> 0"
                       " AND tgenabled IN (",
                       check.ladder.replica_role ? "'A', 'R'" : "'A', 'O'",
                       ") AND tgrelid = ANY (", TargetOids(check),
                       ") ORDER BY 1")));
  if (triggers.empty()) {
    check.findings.Ok(
        {"target-trigger", "target", "no trigger sees the rows coming"});
    return absl::OkStatus();
  }
  check.findings.Acceptable(
      {"target-trigger", "target",
       absl::StrCat("triggers of the target will fire for every row that is "
                    "copied: ",
                    NameSome(triggers)),
       check.ladder.replica_role
           ? "ALTER TABLE ... DISABLE TRIGGER ... until the rows are there"
           : "ALTER TABLE ... DISABLE TRIGGER ... until the rows are there, or "
             "let the role set session_replication_role"});
  return absl::OkStatus();
}

// On an INSERT, '3'. COPY asks none.
absl::Status CheckRulesThere(CheckContext& check) {
  std::vector<std::string> rules;
  if (check.options.inserts) {
    ASSIGN_OR_RETURN(
        rules,
        QueryColumn(
            check.target,
            absl::StrCat("SELECT rulename || ' on ' ||"
                         " ev_class::regclass::text FROM pg_rewrite"
                         " WHERE ev_type = '3' AND ev_enabled IN (",
                         check.ladder.replica_role ? "'A', 'R'" : "'A', 'O'",
                         ") AND ev_class = ANY (", TargetOids(check),
                         ") ORDER BY 1")));
  }
  if (rules.empty()) {
    check.findings.Ok(
        {"target-rule", "target", "no rule acts on the rows that come"});
    return absl::OkStatus();
  }
  check.findings.Acceptable(
      {"target-rule", "target",
       absl::StrCat("rules of the target act on rows that are inserted "
                    "(--inserts), and may put others, or none, in their "
                    "place: ",
                    NameSome(rules)),
       "ALTER TABLE ... DISABLE RULE ... until the rows are there, or let them "
       "come by COPY, without --inserts"});
  return absl::OkStatus();
}

// "public.orders: FOREIGN KEY (...) ...", by the table whose rows refer to
// others; those that `more` holds for.
absl::StatusOr<std::vector<std::string>> ForeignKeys(PgConnection& connection,
                                                     const std::string& oids,
                                                     absl::string_view more) {
  return QueryColumn(connection,
                     absl::StrCat("SELECT k.conrelid::regclass::text || ': ' ||"
                                  " pg_get_constraintdef(k.oid)"
                                  " FROM pg_constraint k"
                                  " WHERE k.contype = 'f'"
                                  " AND k.conrelid = ANY (",
                                  oids, ")", more, " ORDER BY 1"));
}

// Of a key of the source: every row that it may refer to is carried, too. Rows
// of a partitioned table are its partitions'.
std::string RefersToCarriedSql(const CheckContext& check) {
  return absl::StrCat(
      " AND NOT EXISTS (WITH RECURSIVE part (oid) AS (SELECT k.confrelid"
      " UNION SELECT i.inhrelid FROM part JOIN pg_class p ON p.oid = part.oid"
      " AND p.relkind = 'p' JOIN pg_inherits i ON i.inhparent = p.oid)"
      " SELECT FROM part JOIN pg_class c ON c.oid = part.oid"
      " WHERE c.relkind <> 'p' AND c.oid <> ALL (",
      CarriedOids(check), "))");
}

// Of a key of the source: no trigger that enforces it, or a part of it, is
// disabled. That one was once, or that rows came from a session that kept them
// quiet, leaves no trace.
std::string IsEnforcedSql(int server_version) {
  return absl::Substitute(
      " AND NOT EXISTS (WITH RECURSIVE family (oid, parent) AS"
      " (SELECT k.oid, $0 UNION SELECT k.oid, $0 FROM family f"
      " JOIN pg_constraint k ON k.oid = f.parent OR $0 = f.oid)"
      " SELECT FROM family f JOIN pg_trigger g ON g.tgconstraint = f.oid"
      " WHERE g.tgenabled IN ('D', 'R'))",
      ParentConstraintSql(server_version));
}

// As they are not looked at while rows come, they must be the source's, between
// rows that are carried. Where the role cannot keep them quiet, tables would
// have to come in their order.
absl::Status CheckForeignKeysThere(CheckContext& check) {
  ASSIGN_OR_RETURN(std::vector<std::string> keys,
                   ForeignKeys(check.target, TargetOids(check), ""));
  const bool silent = check.ladder.replica_role;
  if (silent) {
    ASSIGN_OR_RETURN(
        const std::vector<std::string> proven,
        ForeignKeys(
            check.source, CarriedOids(check),
            absl::StrCat(RefersToCarriedSql(check),
                         IsEnforcedSql(check.source.server_version()))));
    const absl::flat_hash_set<std::string> known(proven.begin(), proven.end());
    std::erase_if(keys, [&](const auto& key) { return known.contains(key); });
  }
  if (keys.empty()) {
    check.findings.Ok({"target-foreign-key", "target",
                       "foreign keys hold as they do on the source"});
    return absl::OkStatus();
  }
  check.findings.Acceptable(
      {"target-foreign-key", "target",
       absl::StrCat(silent ? "the source has no such foreign keys, or does not "
                             "enforce them, or the rows that they refer to are "
                             "not carried, so that nothing proves that copied "
                             "rows keep to them: "
                           : "the role may not keep foreign keys quiet, and "
                             "rows may come before those that they refer to: ",
                    NameSome(keys)),
       "drop them on the target, and create them again when the rows are "
       "there"});
  return absl::OkStatus();
}

// "public.orders: UNIQUE (number)", whatever it is deferred to.
absl::StatusOr<std::vector<std::string>> UniqueConstraints(
    PgConnection& connection, const std::string& oids, absl::string_view more) {
  return QueryColumn(
      connection,
      absl::StrCat("SELECT conrelid::regclass::text || ': ' ||"
                   " regexp_replace(pg_get_constraintdef(oid),"
                   " ' DEFERRABLE( INITIALLY DEFERRED)?$', '')"
                   " FROM pg_constraint WHERE contype IN ('p', 'u', 'x')"
                   " AND conrelid = ANY (",
                   oids, ")", more, " ORDER BY 1"));
}

// An index refuses a row at once, but what may be deferred is looked at by a
// trigger, which is quiet while rows come.
absl::Status CheckDeferrable(CheckContext& check) {
  std::vector<std::string> unproven;
  if (check.ladder.replica_role) {
    ASSIGN_OR_RETURN(unproven,
                     UniqueConstraints(check.target, TargetOids(check),
                                       " AND condeferrable"));
    ASSIGN_OR_RETURN(const std::vector<std::string> proven,
                     UniqueConstraints(check.source, CarriedOids(check), ""));
    const absl::flat_hash_set<std::string> known(proven.begin(), proven.end());
    std::erase_if(unproven,
                  [&](const auto& each) { return known.contains(each); });
  }
  if (unproven.empty()) {
    check.findings.Ok({"target-deferrable", "target",
                       "deferrable constraints hold as they do on the source"});
    return absl::OkStatus();
  }
  check.findings.Acceptable(
      {"target-deferrable", "target",
       absl::StrCat("nobody looks at deferrable constraints while rows are "
                    "copied, and the source has none that prove these: ",
                    NameSome(unproven)),
       "drop them on the target, and create them again when the rows are "
       "there"});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> TargetActionChecks() {
  return {{"target-trigger", CheckTriggersThere},
          {"target-rule", CheckRulesThere},
          {"target-foreign-key", CheckForeignKeysThere},
          {"target-deferrable", CheckDeferrable}};
}

}  // namespace walferry
