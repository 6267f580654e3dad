#include "tools/status_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/algorithm/container.h"
#include "engine/report_json.h"
#include "tools/json_text.h"

namespace walferry {
namespace {

Json CountsJson(const QualifiedName& table, const TableCounts& counts) {
  const auto& [decoded, applied] = counts;
  return {{"schema", table.schema},
          {"table", table.name},
          {"decoded_inserts", decoded.inserts},
          {"decoded_updates", decoded.updates},
          {"decoded_deletes", decoded.deletes},
          {"decoded_truncates", decoded.truncates},
          {"applied_inserts", applied.inserts},
          {"applied_updates", applied.updates},
          {"applied_deletes", applied.deletes},
          {"applied_truncates", applied.truncates}};
}

}  // namespace

std::string StatusToJson(const MigrationStatus& status,
                         const Redactor& redactor) {
  Json json;
  json["name"] = status.name;
  json["kind"] = status.kind;
  json["phase"] = status.phase;
  json["running"] = status.running;
  json["started_at"] = JsonTime(status.started_at);
  json["heartbeat_at"] = status.heartbeat_at.has_value()
                             ? Json(JsonTime(*status.heartbeat_at))
                             : Json(nullptr);
  json["waiting_for"] = status.waiting_for;
  json["applied_lsn"] = status.applied_lsn.ToString();
  json["received_lsn"] = status.received_lsn.ToString();
  json["source_lsn"] = status.source_lsn.ToString();
  json["lag_bytes"] = status.lag_bytes;
  json["lag_seconds"] = JsonSeconds(absl::Seconds(status.lag_seconds));
  json["transactions"] = status.transactions;
  json["changes"] = status.changes;
  json["counted_since_lsn"] = status.counted_since.valid()
                                  ? Json(status.counted_since.ToString())
                                  : Json(nullptr);
  json["counts_agree"] = absl::c_all_of(
      status.counts, [](const auto& table) { return table.second.agree(); });
  json["slot"] = status.slot;
  json["publications"] = status.publications;
  json["steps_done"] = status.steps_done;
  json["steps_total"] = status.steps_total;
  json["bytes_per_second"] = status.bytes_per_second;
  json["usable"] = status.usable;
  json["tables"] = Json::array();
  for (const TableStatus& table : status.tables) {
    json["tables"].push_back({{"schema", table.table.schema},
                              {"table", table.table.name},
                              {"state", table.state},
                              {"rows", table.rows},
                              {"bytes", table.bytes},
                              {"bytes_total", table.bytes_total}});
  }
  json["table_counts"] = Json::array();
  for (const auto& [table, counts] : status.counts) {
    json["table_counts"].push_back(CountsJson(table, counts));
  }
  json.update(Json::parse(ComparisonToJson(status.comparison)));
  json["last_error"] = status.last_error;
  json["report"] = status.report.has_value()
                       ? Json::parse(ReportToJson(*status.report))
                       : Json(nullptr);
  return JsonText(std::move(json), redactor, 2);
}

}  // namespace walferry
