#include "engine/source_freeze.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engine/quiet_source.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

PgConnectOptions Uninterrupted(PgConnectOptions options) {
  options.interrupt = nullptr;
  options.connect_timeout = std::min(options.connect_timeout, kPatience);
  options.statement_timeout = kPatience;
  return options;
}

}  // namespace

absl::StatusOr<LedgerObject> DescribeFreeze(PgConnection& source) {
  ASSIGN_OR_RETURN(std::string earlier, ReadOnlySetting(source));
  return LedgerObject{.side = Side::kSource,
                      .kind = "setting",
                      .identity = "default_transaction_read_only",
                      .detail = std::move(earlier)};
}

absl::StatusOr<std::optional<LedgerObject>> FindFreeze(Ledger& ledger) {
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  for (const LedgerObject& object : objects) {
    if (object.kind == "setting") return std::optional<LedgerObject>(object);
  }
  return std::optional<LedgerObject>();
}

absl::Status ThawSource(const Connector& connector,
                        const LedgerObject& freeze) {
  ASSIGN_OR_RETURN(
      PgConnection source,
      PgConnection::Open(Uninterrupted(connector.SourceOptions("unfreeze"))));
  RETURN_IF_ERROR(UnfreezeDatabase(source, freeze.detail));
  ASSIGN_OR_RETURN(
      PgConnection target,
      PgConnection::Open(Uninterrupted(connector.TargetOptions("unfreeze"))));
  Ledger ledger(target, {.schema = connector.endpoints.ledger_schema,
                         .migration = connector.endpoints.name});
  return ledger.RemoveObject(freeze);
}

}  // namespace walferry
