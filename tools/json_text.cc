#include "tools/json_text.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"

namespace walferry {
namespace {

// None of them can hold a person's text.
constexpr absl::string_view kOwnFields[] = {
    "time",     "phase",   "event",    "level",  "code",
    "sqlstate", "id",      "severity", "kind",   "type",
    "state",    "verdict", "outcome",  "weight", "method"};
constexpr absl::string_view kOwnEndings[] = {"_lsn", "_at", "_time"};

bool IsOwnField(absl::string_view key) {
  return absl::c_linear_search(kOwnFields, key) ||
         absl::c_any_of(kOwnEndings, [key](absl::string_view ending) {
           return absl::EndsWith(key, ending);
         });
}

void RedactStrings(Json& json, const Redactor& redactor) {
  if (json.is_string()) {
    json = redactor.Redact(json.get<std::string>());
  } else if (json.is_array()) {
    for (Json& element : json) RedactStrings(element, redactor);
  } else if (json.is_object()) {
    for (const auto& field : json.items()) {
      if (!IsOwnField(field.key())) RedactStrings(field.value(), redactor);
    }
  }
}

}  // namespace

std::string JsonText(Json json, const Redactor& redactor, int indent) {
  RedactStrings(json, redactor);
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string RedactJson(absl::string_view json, const Redactor& redactor,
                       int indent) {
  return JsonText(Json::parse(json.begin(), json.end()), redactor, indent);
}

std::string JsonTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

double JsonSeconds(absl::Duration duration) {
  return std::round(absl::ToDoubleSeconds(duration) * 1000) / 1000;
}

}  // namespace walferry
