// RunCheck: the preflight by itself.

#include <utility>

#include "engine/catalog/catalog.h"
#include "engine/check/check.h"
#include "engine/connect/connect.h"
#include "engine/connect/name_encoding.h"
#include "engine/ledger/ledger.h"
#include "engine/migration/migration.h"
#include "engine/target/fast_target.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<CheckReport> RunCheck(const CheckOptions& options,
                                     Control& control) {
  const MigrateOptions& migrate = options.migrate;
  const Connector connector{.endpoints = migrate.endpoints,
                            .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(const Scope scope, Scope::Create(migrate.scope));
  ASSIGN_OR_RETURN(PgConnection source,
                   connector.OpenSource("check", Contact::kFirst));
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("check", Contact::kFirst));
  RETURN_IF_ERROR(SpeakNameEncoding(source, target));
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(source, scope));
  Ledger ledger(target, {.schema = migrate.endpoints.ledger_schema,
                         .migration = migrate.endpoints.name});
  CheckInputs inputs{.source = &source, .target = &target};
  ASSIGN_OR_RETURN(inputs.resuming, ledger.Exists());
  if (migrate.fast_target) RETURN_IF_ERROR(CheckFastTarget(target, ledger));
  return CheckOpeningWalsender(migrate, catalog, connector, std::move(inputs));
}

}  // namespace walferry
