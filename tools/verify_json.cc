// A comparison's result for programs: docs/verify.md.

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/json_text.h"
#include "tools/verify_report.h"

namespace walferry {
namespace {

Json TextOrNull(const std::optional<std::string>& text) {
  return text.has_value() ? Json(*text) : Json(nullptr);
}

Json CountOrNull(int64_t count) {
  return count >= 0 ? Json(count) : Json(nullptr);
}

Json RowJson(const RowDifference& row) {
  Json columns = Json::array();
  for (const ColumnDifference& column : row.columns) {
    columns.push_back({{"column", column.column},
                       {"source", TextOrNull(column.source)},
                       {"target", TextOrNull(column.target)}});
  }
  return {{"kind", std::string(RowKindName(row.kind))},
          {"key", row.key},
          {"source_count", row.source_count},
          {"target_count", row.target_count},
          {"columns", std::move(columns)}};
}

Json TableJson(const TableVerdict& table) {
  Json rows = Json::array();
  for (const RowDifference& row : table.rows) rows.push_back(RowJson(row));
  return {{"schema", table.table.schema},
          {"table", table.table.name},
          {"outcome", std::string(OutcomeName(table.outcome))},
          {"detail", table.detail},
          {"source_rows", CountOrNull(table.source_rows)},
          {"target_rows", CountOrNull(table.target_rows)},
          {"missing", table.missing},
          {"extra", table.extra},
          {"different", table.different},
          {"counts_at_least", table.at_least},
          {"ranges", table.ranges},
          {"ranges_total", table.ranges_total},
          {"ranges_kept", table.ranges_kept},
          {"hash", table.method},
          {"elapsed_seconds", JsonSeconds(table.elapsed)},
          {"rows", std::move(rows)},
          {"rows_left_out", table.rows_left_out}};
}

Json ObjectJson(const ObjectDifference& object) {
  return {{"weight", std::string(WeightName(object.weight))},
          {"kind", object.kind},
          {"object", object.object},
          {"what", object.what},
          {"source", object.source},
          {"target", object.target}};
}

Json CheckJson(const CheckVerdict& check) {
  return {{"name", check.name},       {"equal", check.equal},
          {"unknown", check.unknown}, {"source", check.source},
          {"target", check.target},   {"detail", check.detail}};
}

Json TableRepairJson(const TableRepair& table) {
  return {{"schema", table.table.schema}, {"table", table.table.name},
          {"ranges", table.ranges},       {"inserted", table.inserted},
          {"deleted", table.deleted},     {"updated", table.updated},
          {"failures", table.failures}};
}

template <typename Parts, typename ToJson>
Json ArrayOf(const Parts& parts, const ToJson& to_json) {
  Json array = Json::array();
  for (const auto& part : parts) array.push_back(to_json(part));
  return array;
}

Json RepairJson(const std::optional<RepairReport>& repair) {
  if (!repair.has_value()) return nullptr;
  return {{"dry_run", repair->dry_run},
          {"elapsed_seconds", JsonSeconds(repair->elapsed)},
          {"held_seconds", JsonSeconds(repair->held)},
          {"tables", ArrayOf(repair->tables, TableRepairJson)},
          {"statements", repair->statements},
          {"statements_left_out", repair->statements_left_out}};
}

}  // namespace

std::string VerifyJson(const VerifyAccount& account, const Redactor& redactor) {
  const VerifyReport& report = account.report;
  Json json;
  json["verdict"] = std::string(VerdictName(VerdictOf(account)));
  json["trouble"] = account.trouble;
  json["method"] = std::string(VerifyMethodName(report.method));
  json["source"] = report.source;
  json["target"] = report.target;
  json["source_version"] = report.source_version;
  json["target_version"] = report.target_version;
  json["position_lsn"] = report.position.has_value()
                             ? Json(report.position->ToString())
                             : Json(nullptr);
  json["applier_pause_seconds"] = JsonSeconds(report.applier_pause);
  json["started_at"] = JsonTime(report.started_at);
  json["elapsed_seconds"] = JsonSeconds(report.elapsed);
  json["rows_compared"] = report.rows_compared;
  json["bytes_compared"] = report.bytes_compared;
  json["schema_compared"] = report.schema_compared;
  json["objects_compared"] = report.objects_compared;
  json["tables"] = ArrayOf(report.tables, TableJson);
  json["objects"] = ArrayOf(report.objects, ObjectJson);
  json["checks"] = ArrayOf(report.checks, CheckJson);
  json["repair"] = RepairJson(report.repair);
  json["remarks"] = report.remarks;
  return absl::StrCat(JsonText(std::move(json), redactor, 2), "\n");
}

}  // namespace walferry
