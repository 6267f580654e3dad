#ifndef ENGINE_CHECK_CHECK_CONTEXT_H_
#define ENGINE_CHECK_CHECK_CONTEXT_H_

// What every check is given, and how the checks look at a server.
//
// While checks run, both connections are inside a transaction of their own
// that is rolled back at the end, with an empty search_path and a lock_timeout.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/catalog/catalog.h"
#include "engine/check/check.h"
#include "engine/check/check_findings.h"
#include "engine/options.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

// A relation of the source that the migration creates on the target: of any
// kind but indexes.
struct IncludedRelation {
  uint32_t oid = 0;
  QualifiedName name;
  char kind = 0;  // pg_class.relkind.
};

struct CheckContext {
  const MigrateOptions& options;
  const Catalog& catalog;
  PgConnection& source;
  PgConnection& target;
  PgConnection* source_replication;
  absl::Status replication_error;
  bool resuming;
  CheckShare share;
  bool target_to_come;
  const absl::flat_hash_set<std::string>& roles_to_come;
  const absl::flat_hash_set<std::string>& tablespaces_to_come;

  // Found out before the first check.
  std::string slot;
  std::string publication;
  std::vector<IncludedRelation> relations;  // By name.
  std::vector<std::string> schemas;         // In scope, on the source.
  bool target_superuser = false;
  Catalog on_target;  // Where rows alone are carried.

  FindingList findings;
  TargetLadder ladder;
};

// For whom a step is made where all databases of a server are moved.
enum class StepOf {
  kDatabase,  // For each of them.
  kServers,   // Once: it would say the same of each.
  kSum,       // Not at all: the move counts it for all of them together.
};

// One thing to look at. `id` names the finding that stands for it when it
// could not be looked at. It returns an error only then.
struct CheckStep {
  absl::string_view id;
  absl::Status (*run)(CheckContext& check);
  // Of what only a stream needs: an offline migration does without.
  bool online_only = false;
  // Of what only creating objects needs: rows alone do without.
  bool creating_only = false;
  // Of what the target's database holds: one that is to come holds nothing.
  bool in_target = false;
  StepOf of = StepOf::kDatabase;
};

// Each file's steps, in the order in which they run.
std::vector<CheckStep> ServerChecks();
std::vector<CheckStep> ToolChecks();
std::vector<CheckStep> SourceChecks();
std::vector<CheckStep> CapacityChecks();
std::vector<CheckStep> SourceRightsChecks();
std::vector<CheckStep> ScopeChecks();
std::vector<CheckStep> TableChecks();
std::vector<CheckStep> DelayedTableChecks();
std::vector<CheckStep> ObjectChecks();
std::vector<CheckStep> TargetChecks();
std::vector<CheckStep> TargetNameChecks();
std::vector<CheckStep> TargetContentChecks();
std::vector<CheckStep> TargetTableChecks();
std::vector<CheckStep> TargetRoleChecks();

// Reads slot, publication, relations, schemas, the target's role and, where
// rows alone are carried, the tables that its database has.
absl::Status PrepareContext(CheckContext& check);

// Tries `sql` and undoes it: the error is the server's refusal, and the
// transaction goes on either way.
absl::Status Probe(PgConnection& connection, const std::string& sql);

// The one column of a query's rows.
absl::StatusOr<std::vector<std::string>> QueryColumn(PgConnection& connection,
                                                     const std::string& sql);
// Like PgConnection::QueryValue, for a number.
absl::StatusOr<int64_t> QueryNumber(PgConnection& connection,
                                    const std::string& sql);

// An SQL array of OIDs: of the included relations of these kinds
// (pg_class.relkind); of the tables that `wanted` says yes to.
std::string RelationOids(const CheckContext& check, absl::string_view kinds);
std::string TableOids(const Catalog& catalog,
                      const std::function<bool(const CatalogTable&)>& wanted);

// Its rows are copied and its changes published.
bool IsPublished(const CatalogTable& table);

}  // namespace walferry

#endif  // ENGINE_CHECK_CHECK_CONTEXT_H_
