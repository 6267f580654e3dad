#include "engine/archive/archive_facts.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%SZ";

absl::Status Malformed(absl::string_view what) {
  return absl::DataLossError(absl::StrCat(kFactsName, ": malformed ", what));
}

absl::StatusOr<ArchiveFormat> FormatOf(const std::string& name) {
  for (const ArchiveFormat format :
       {ArchiveFormat::kDirectory, ArchiveFormat::kCustom,
        ArchiveFormat::kPlain}) {
    if (FormatName(format) == name) return format;
  }
  return Malformed("format");
}

absl::StatusOr<std::string> TextAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return Malformed(name);
  return found->get<std::string>();
}

absl::StatusOr<int64_t> NumberAt(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer()) {
    return Malformed(name);
  }
  return found->get<int64_t>();
}

absl::StatusOr<std::optional<std::vector<std::string>>> OmissionsIn(
    const Json& json) {
  const auto found = json.find("omissions");
  // Archives of before it was written down.
  if (found == json.end()) return std::nullopt;
  std::vector<std::string> omissions;
  for (const Json& each : *found) {
    if (!each.is_string()) return Malformed("omissions");
    omissions.push_back(each.get<std::string>());
  }
  if (!found->is_array()) return Malformed("omissions");
  return omissions;
}

}  // namespace

absl::string_view FormatName(ArchiveFormat format) {
  switch (format) {
    case ArchiveFormat::kDirectory:
      return "directory";
    case ArchiveFormat::kCustom:
      return "custom";
    case ArchiveFormat::kPlain:
      return "plain";
  }
  return "";
}

std::string OmissionsText(const ArchiveFacts& facts) {
  if (!facts.omissions.has_value() || facts.omissions->empty()) return "";
  return absl::StrCat("made with ", absl::StrJoin(*facts.omissions, ", "),
                      ": not of the whole database");
}

std::string FactsToJson(const ArchiveFacts& facts) {
  Json json;
  json["format"] = std::string(FormatName(facts.format));
  json["database"] = facts.database;
  json["server_version"] = facts.server_version;
  json["client_version"] = facts.client_version;
  json["system_identifier"] = facts.system_identifier;
  json["encoding"] = facts.encoding;
  json["compression"] = facts.compression;
  json["database_bytes"] = facts.database_bytes;
  json["archive_bytes"] = facts.archive_bytes;
  json["time"] = absl::FormatTime(kTimeFormat, facts.time, absl::UTCTimeZone());
  if (facts.omissions.has_value()) json["omissions"] = *facts.omissions;
  // A name may come from a database in any encoding: never throw over it.
  return absl::StrCat(json.dump(2, ' ', false, Json::error_handler_t::replace),
                      "\n");
}

absl::StatusOr<ArchiveFacts> FactsFromJson(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr,
                                /*allow_exceptions=*/false);
  if (!json.is_object()) return Malformed("JSON");
  ArchiveFacts facts;
  ASSIGN_OR_RETURN(const std::string format, TextAt(json, "format"));
  ASSIGN_OR_RETURN(facts.format, FormatOf(format));
  ASSIGN_OR_RETURN(facts.database, TextAt(json, "database"));
  ASSIGN_OR_RETURN(facts.server_version, TextAt(json, "server_version"));
  ASSIGN_OR_RETURN(facts.client_version, TextAt(json, "client_version"));
  ASSIGN_OR_RETURN(facts.system_identifier, TextAt(json, "system_identifier"));
  ASSIGN_OR_RETURN(facts.encoding, TextAt(json, "encoding"));
  ASSIGN_OR_RETURN(facts.compression, TextAt(json, "compression"));
  ASSIGN_OR_RETURN(facts.database_bytes, NumberAt(json, "database_bytes"));
  ASSIGN_OR_RETURN(facts.archive_bytes, NumberAt(json, "archive_bytes"));
  ASSIGN_OR_RETURN(const std::string time, TextAt(json, "time"));
  std::string ignored;
  if (!absl::ParseTime(kTimeFormat, time, absl::UTCTimeZone(), &facts.time,
                       &ignored)) {
    return Malformed("time");
  }
  ASSIGN_OR_RETURN(facts.omissions, OmissionsIn(json));
  return facts;
}

}  // namespace walferry
