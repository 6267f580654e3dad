#include "engine/report_json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "protocol/status.h"

namespace walferry {

using Json = nlohmann::ordered_json;

namespace {

using State = ComparisonResult::State;

constexpr State kStates[] = {State::kComparing, State::kEqual,
                             State::kDifferent, State::kUnknown};
constexpr VerifyMethod kMethods[] = {
    VerifyMethod::kEstimate, VerifyMethod::kCounts, VerifyMethod::kSample,
    VerifyMethod::kChecksum};

// Names may come from a database in any encoding: never throw over them. In
// ASCII, as it is kept in databases of any encoding.
std::string OneLine(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true,
                   Json::error_handler_t::replace);
}

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("report: malformed ", what));
}

// "" if there is none.
absl::StatusOr<std::string> TextAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return std::string();
  if (!found->is_string()) return Malformed(name);
  return found->get<std::string>();
}

// Reports of before that was noted have nothing of it.
absl::StatusOr<ComparisonResult> ComparisonIn(const Json& json) {
  ComparisonResult comparison;
  ASSIGN_OR_RETURN(const std::string state, TextAt(json, "compared"));
  ASSIGN_OR_RETURN(const std::string method, TextAt(json, "compared_by"));
  ASSIGN_OR_RETURN(const std::string at, TextAt(json, "compared_at"));
  ASSIGN_OR_RETURN(comparison.found, TextAt(json, "compared_found"));
  if (state.empty()) return ComparisonResult();
  for (const State one : kStates) {
    if (ComparisonStateName(one) == state) comparison.state = one;
  }
  for (const VerifyMethod one : kMethods) {
    if (VerifyMethodName(one) == method) comparison.method = one;
  }
  if (comparison.state == State::kNone) return Malformed("compared");
  if (comparison.method == VerifyMethod::kOff && !method.empty()) {
    return Malformed("compared_by");
  }
  if (!at.empty() &&
      !absl::ParseTime(absl::RFC3339_full, at, &comparison.at, nullptr)) {
    return Malformed("compared_at");
  }
  return comparison;
}

}  // namespace

std::string ComparisonToJson(const ComparisonResult& comparison) {
  const bool none = comparison.method == VerifyMethod::kOff;
  Json json;
  json["compared"] = std::string(ComparisonStateName(comparison.state));
  json["compared_by"] =
      none ? "" : std::string(VerifyMethodName(comparison.method));
  json["compared_found"] = comparison.found;
  if (comparison.at == absl::InfinitePast()) {
    json["compared_at"] = nullptr;
  } else {
    json["compared_at"] = absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ",
                                           comparison.at, absl::UTCTimeZone());
  }
  return OneLine(json);
}

absl::StatusOr<ComparisonResult> ComparisonFromJson(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr,
                                /*allow_exceptions=*/false);
  if (!json.is_object()) return Malformed("JSON");
  return ComparisonIn(json);
}

std::string ReportToJson(const Report& report) {
  Json json;
  json["name"] = report.name;
  json["offline"] = report.offline;
  json["tables"] = report.tables;
  json["rows_copied"] = report.rows_copied;
  json["bytes_copied"] = report.bytes_copied;
  json["transactions_applied"] = report.transactions_applied;
  json["inserts"] = report.inserts;
  json["updates"] = report.updates;
  json["deletes"] = report.deletes;
  json["truncates"] = report.truncates;
  json["sequences_set"] = report.sequences_set;
  json["materialized_views_refreshed"] = report.materialized_views_refreshed;
  json["applied_lsn"] = report.applied_lsn.ToString();
  if (report.freeze_to_done == absl::InfiniteDuration()) {
    json["freeze_to_done_seconds"] = nullptr;
  } else {
    json["freeze_to_done_seconds"] =
        absl::ToDoubleSeconds(report.freeze_to_done);
  }
  json["elapsed_seconds"] = absl::ToDoubleSeconds(report.elapsed);
  json.update(Json::parse(ComparisonToJson(report.comparison)));
  json["remarks"] = report.remarks;
  return OneLine(json);
}

absl::StatusOr<Report> ReportFromJson(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr,
                                /*allow_exceptions=*/false);
  if (!json.is_object()) return Malformed("JSON");
  Report report;
  struct Number {
    const char* name;
    int64_t* value;
  };
  for (const Number& number : {
           Number{"tables", &report.tables},
           Number{"rows_copied", &report.rows_copied},
           Number{"bytes_copied", &report.bytes_copied},
           Number{"transactions_applied", &report.transactions_applied},
           Number{"inserts", &report.inserts},
           Number{"updates", &report.updates},
           Number{"deletes", &report.deletes},
           Number{"truncates", &report.truncates},
           Number{"sequences_set", &report.sequences_set},
           Number{"materialized_views_refreshed",
                  &report.materialized_views_refreshed},
       }) {
    const auto found = json.find(number.name);
    if (found == json.end() || !found->is_number_integer()) {
      return Malformed(number.name);
    }
    *number.value = found->get<int64_t>();
  }
  const auto name = json.find("name");
  const auto offline = json.find("offline");
  const auto lsn = json.find("applied_lsn");
  const auto freeze = json.find("freeze_to_done_seconds");
  const auto elapsed = json.find("elapsed_seconds");
  const auto remarks = json.find("remarks");
  if (name == json.end() || !name->is_string()) return Malformed("name");
  if (lsn == json.end() || !lsn->is_string()) return Malformed("applied_lsn");
  if (elapsed == json.end() || !elapsed->is_number()) {
    return Malformed("elapsed_seconds");
  }
  report.name = name->get<std::string>();
  // Reports of before there was such a mode do not say.
  report.offline = offline != json.end() && *offline == true;
  ASSIGN_OR_RETURN(report.applied_lsn, Lsn::Parse(lsn->get<std::string>()));
  report.elapsed = absl::Seconds(elapsed->get<double>());
  if (freeze != json.end() && freeze->is_number()) {
    report.freeze_to_done = absl::Seconds(freeze->get<double>());
  }
  if (remarks == json.end() || !remarks->is_array()) {
    return Malformed("remarks");
  }
  ASSIGN_OR_RETURN(report.comparison, ComparisonIn(json));
  for (const Json& remark : *remarks) {
    if (!remark.is_string()) return Malformed("remarks");
    report.remarks.push_back(remark.get<std::string>());
  }
  return report;
}

}  // namespace walferry
