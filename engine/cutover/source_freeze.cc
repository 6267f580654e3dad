#include "engine/cutover/source_freeze.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "engine/cutover/quiet_source.h"
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

absl::Status Thaw(const Connector& connector, const LedgerObject& freeze) {
  ASSIGN_OR_RETURN(
      PgConnection source,
      PgConnection::Open(Uninterrupted(connector.SourceOptions("unfreeze"))));
  return UnfreezeDatabase(source, freeze.detail);
}

absl::Status Note(const Connector& connector, const LedgerObject& freeze) {
  ASSIGN_OR_RETURN(
      PgConnection target,
      PgConnection::Open(Uninterrupted(connector.TargetOptions("unfreeze"))));
  Ledger ledger(target, {.schema = connector.endpoints.ledger_schema,
                         .migration = connector.endpoints.name});
  return ledger.RemoveObject(freeze);
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
    if (object.side == Side::kSource && object.kind == "setting") {
      return std::optional<LedgerObject>(object);
    }
  }
  return std::optional<LedgerObject>();
}

absl::Status ThawSource(const Connector& connector,
                        const LedgerObject& freeze) {
  if (absl::Status thawed = Thaw(connector, freeze); !thawed.ok()) {
    return Annotate(thawed, "the source is still read-only");
  }
  if (absl::Status noted = Note(connector, freeze); !noted.ok()) {
    return Annotate(noted,
                    "the source takes writes again, which could not be noted");
  }
  return absl::OkStatus();
}

}  // namespace walferry
