#include "tools/server_status_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "engine/report_json.h"
#include "tools/event_text.h"
#include "tools/json_text.h"

namespace walferry {

std::string ServerStatusToJson(const ServerStatus& status,
                               const Redactor& redactor) {
  Json json;
  json["name"] = status.name;
  json["kind"] = "server";
  json["phase"] = status.phase;
  json["running"] = status.running;
  json["started_at"] = JsonTime(status.started_at);
  json["heartbeat_at"] = status.heartbeat_at.has_value()
                             ? Json(JsonTime(*status.heartbeat_at))
                             : Json(nullptr);
  json["waiting_for"] = status.waiting_for;
  json["fast_target"] = status.fast_target;
  json["last_error"] = status.last_error;
  json["databases"] = Json::array();
  for (const DatabaseStatus& database : status.databases) {
    const absl::Duration left = TimeLeft(database.bytes, database.bytes_total,
                                         database.bytes_per_second);
    json["databases"].push_back(
        {{"database", database.database},
         {"phase", database.phase},
         {"running", database.running},
         {"usable", database.usable},
         {"tables", database.tables},
         {"tables_copied", database.tables_copied},
         {"steps_done", database.steps_done},
         {"steps_total", database.steps_total},
         {"bytes", database.bytes},
         {"bytes_total", database.bytes_total < 0 ? Json(nullptr)
                                                  : Json(database.bytes_total)},
         {"bytes_per_second", database.bytes_per_second},
         {"seconds_left", left == absl::InfiniteDuration()
                              ? Json(nullptr)
                              : Json(JsonSeconds(left))},
         {"lag_bytes", database.lag_bytes},
         {"lag_seconds", database.lag_seconds},
         {"waiting_for", database.waiting_for}});
    Json& written = json["databases"].back();
    written.update(Json::parse(ComparisonToJson(database.comparison)));
    written["last_error"] = database.last_error;
  }
  return JsonText(std::move(json), redactor, 2);
}

}  // namespace walferry
