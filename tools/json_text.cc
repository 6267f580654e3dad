#include "tools/json_text.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace walferry {
namespace {

void RedactStrings(Json& json, const Redactor& redactor) {
  if (json.is_string()) {
    json = redactor.Redact(json.get<std::string>());
  } else if (json.is_structured()) {
    for (Json& element : json) RedactStrings(element, redactor);
  }
}

}  // namespace

std::string JsonText(Json json, const Redactor& redactor, int indent) {
  RedactStrings(json, redactor);
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string JsonTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
}

double JsonSeconds(absl::Duration duration) {
  return std::round(absl::ToDoubleSeconds(duration) * 1000) / 1000;
}

}  // namespace walferry
