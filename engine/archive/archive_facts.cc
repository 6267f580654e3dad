#include "engine/archive/archive_facts.h"

#include <nlohmann/json.hpp>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
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

// The name in bytes, beside what can be read of it, where it is no UTF-8.
constexpr char kNameInHex[] = "database_name_hex";

// As it is written down: a name may come from a database in any encoding.
std::string Replaced(absl::string_view name) {
  const std::string text =
      Json(std::string(name))
          .dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(text).get<std::string>();
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

bool ArchiveFacts::Omits(absl::string_view option) const {
  return omissions.has_value() && absl::c_linear_search(*omissions, option);
}

void ArchiveFacts::TakeAsAsked(absl::Span<const absl::string_view> options) {
  if (!omissions.has_value()) return;
  std::erase_if(*omissions, [&](const std::string& omission) {
    return absl::c_linear_search(options, omission);
  });
}

bool ArchiveFacts::MayBeOf(absl::string_view dbname) const {
  return database == dbname || database == Replaced(dbname);
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
  if (Replaced(facts.database) != facts.database) {
    json[kNameInHex] = absl::BytesToHexString(facts.database);
  }
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
  if (json.contains(kNameInHex)) {
    ASSIGN_OR_RETURN(const std::string hex, TextAt(json, kNameInHex));
    const std::string name = absl::HexStringToBytes(hex);
    if (absl::BytesToHexString(name) != hex || Replaced(name) == name) {
      return Malformed(kNameInHex);
    }
    facts.database = name;
  }
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
