#include "tools/endpoint_options.h"

#include "protocol/status.h"
#include "tools/required_option.h"

namespace walferry {

absl::StatusOr<Endpoints> BindEndpoints(const OptionValues& values) {
  Endpoints endpoints;
  ASSIGN_OR_RETURN(endpoints.source,
                   RequiredConnInfo(values, OptionId::kSource));
  ASSIGN_OR_RETURN(endpoints.target,
                   RequiredConnInfo(values, OptionId::kTarget));
  endpoints.name = values.Text(OptionId::kName);
  endpoints.ledger_schema = values.Text(OptionId::kLedgerSchema);
  endpoints.connect_timeout = values.Duration(OptionId::kConnectTimeout);
  return endpoints;
}

ScopeOptions BindScope(const OptionValues& values) {
  return {.schemas = values.List(OptionId::kSchema),
          .exclude_schemas = values.List(OptionId::kExcludeSchema),
          .tables = values.List(OptionId::kTable),
          .exclude_tables = values.List(OptionId::kExcludeTable),
          .exclude_table_data = values.List(OptionId::kExcludeTableData)};
}

}  // namespace walferry
