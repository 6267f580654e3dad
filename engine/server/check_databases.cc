#include "engine/server/check_databases.h"

#include <optional>
#include <tuple>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/catalog/catalog.h"
#include "engine/check/check_findings.h"
#include "engine/connect/name_encoding.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"
#include "engine/server/database_options.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// What the migration of that name has done in the target's database.
enum class Standing { kNone, kBegun, kDone };

absl::StatusOr<Standing> ReadStanding(const Endpoints& endpoints,
                                      PgConnection& target) {
  Ledger ledger(
      target, {.schema = endpoints.ledger_schema, .migration = endpoints.name});
  ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
  if (!exists) return Standing::kNone;
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> known, ledger.Read());
  return known && known->phase == PhaseName(Phase::kDone) ? Standing::kDone
                                                          : Standing::kBegun;
}

// nullopt: it is done.
absl::StatusOr<std::optional<CheckReport>> LookInto(
    const ServerMigrateOptions& options, const ServerPlan& plan, size_t place,
    const Connector& whole) {
  ASSIGN_OR_RETURN(const MigrateOptions migrate,
                   OptionsOfDatabase(options, plan.wanted[place]));
  const Connector connector{.endpoints = migrate.endpoints,
                            .interrupt = whole.interrupt};
  const bool to_come = !plan.databases.databases[place].create.empty();
  ASSIGN_OR_RETURN(PgConnection target,
                   (to_come ? whole : connector).OpenTarget("check"));
  Standing standing = Standing::kNone;
  if (!to_come) {
    ASSIGN_OR_RETURN(standing, ReadStanding(migrate.endpoints, target));
    if (standing == Standing::kDone) return std::nullopt;
  }
  ASSIGN_OR_RETURN(PgConnection source, connector.OpenSource("check"));
  RETURN_IF_ERROR(SpeakNameEncoding(source, target));
  ASSIGN_OR_RETURN(const Scope scope, Scope::Create(migrate.scope));
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(source, scope));
  return CheckOpeningWalsender(
      migrate, catalog, connector,
      {.source = &source,
       .target = &target,
       .resuming = standing == Standing::kBegun,
       .share = CheckShare::kDatabase,
       .target_to_come = to_come,
       .roles_to_come = plan.roles_to_come,
       .tablespaces_to_come = plan.tablespaces_to_come});
}

void Narrow(const TargetLadder& by, std::optional<TargetLadder>& ladder) {
  if (!ladder.has_value()) ladder = by;
  ladder->replica_role &= by.replica_role;
  ladder->replication_origin &= by.replication_origin;
  ladder->create_schema &= by.create_schema;
  ladder->temporary_tables &= by.temporary_tables;
  ladder->timeouts_settable &= by.timeouts_settable;
}

void Append(std::vector<Finding> findings, CheckReport& report) {
  for (Finding& finding : findings) {
    report.findings.push_back(std::move(finding));
  }
}

// All that makes two findings alike.
using Content = std::tuple<std::string, Severity, bool, std::string,
                           std::string, std::string>;

Content ContentOf(const Finding& finding) {
  return {finding.id,      finding.severity, finding.acceptable,
          finding.subject, finding.text,     finding.hint};
}

// The plan could not look into it either.
bool IsSaid(absl::string_view subject, const CheckReport& report) {
  return absl::c_any_of(report.findings, [&](const Finding& finding) {
    return finding.id == "database-check" && finding.subject == subject;
  });
}

// What every one of them has.
absl::flat_hash_set<Content> Shared(
    const std::vector<DatabaseFindings>& databases) {
  absl::flat_hash_map<Content, size_t> having;
  for (const DatabaseFindings& database : databases) {
    absl::flat_hash_set<Content> contents;
    for (const Finding& finding : database.findings) {
      contents.insert(ContentOf(finding));
    }
    for (const Content& content : contents) ++having[content];
  }
  absl::flat_hash_set<Content> shared;
  for (const auto& [content, count] : having) {
    if (count == databases.size()) shared.insert(content);
  }
  return shared;
}

}  // namespace

absl::Status CheckBothServers(const ServerMigrateOptions& options,
                              PgConnection& source, PgConnection& target,
                              CheckReport& report) {
  MigrateOptions migrate = options.migrate;
  migrate.of_server_move = true;
  ASSIGN_OR_RETURN(CheckReport servers, Check(migrate, Catalog(),
                                              {.source = &source,
                                               .target = &target,
                                               .share = CheckShare::kServers,
                                               .target_to_come = true}));
  Append(std::move(servers.findings), report);
  return absl::OkStatus();
}

absl::Status CheckDatabases(const ServerMigrateOptions& options,
                            const Connector& connector, ServerPlan& plan) {
  CheckReport& report = plan.check;
  FindingList findings;
  std::vector<DatabaseFindings> looked_into;
  for (size_t place = 0; place < plan.wanted.size(); ++place) {
    const ServerDatabase& database = plan.wanted[place];
    const std::string subject = absl::StrCat("database ", database.name);
    if (!database.may_connect || IsSaid(subject, report)) continue;
    absl::StatusOr<std::optional<CheckReport>> found =
        LookInto(options, plan, place, connector);
    if (absl::IsCancelled(found.status())) return found.status();
    if (!found.ok()) {
      const std::string hint = HintOf(found.status());
      findings.Blocking(
          {"database-check", subject,
           absl::StrCat("could not be looked into: ", found.status().message()),
           hint.empty() ? "if it is to stay: --exclude-database" : hint});
      continue;
    }
    if (!*found) continue;
    Narrow(*(*found)->ladder, report.ladder);
    looked_into.push_back({database.name, std::move((*found)->findings)});
  }
  Append(findings.Take(), report);
  Append(MergeFindings(std::move(looked_into)), report);
  return absl::OkStatus();
}

std::vector<Finding> MergeFindings(std::vector<DatabaseFindings> databases) {
  const absl::flat_hash_set<Content> shared = Shared(databases);
  std::vector<Finding> merged;
  std::vector<Finding> own;
  const bool alone = databases.size() == 1;
  for (DatabaseFindings& database : databases) {
    for (Finding& finding : database.findings) {
      const bool ok = finding.severity == Severity::kOk;
      if (shared.contains(ContentOf(finding)) && (ok || !alone)) {
        if (&database == &databases.front()) merged.push_back(finding);
      } else if (!ok) {
        finding.database = database.database;
        own.push_back(std::move(finding));
      }
    }
  }
  for (Finding& finding : own) merged.push_back(std::move(finding));
  return merged;
}

}  // namespace walferry
