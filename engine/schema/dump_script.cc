#include "engine/schema/dump_script.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "engine/schema/sql_lines.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kEntry = "-- TOC entry ";
constexpr absl::string_view kDependencies = "-- Dependencies:";
constexpr absl::string_view kName = "-- Name: ";
constexpr absl::string_view kComplete = "-- PostgreSQL database dump complete";

// Settings that pg_restore changes only when the next entry wants another
// value, in this order.
constexpr absl::string_view kCarried[] = {"SET default_tablespace = ",
                                          "SET default_table_access_method = "};

// "123 (class 1259 OID 16385)".
bool ReadIds(absl::string_view text, DumpEntry& entry) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  return words.size() == 5 && words[1] == "(class" && words[3] == "OID" &&
         absl::ConsumeSuffix(&text, ")") &&
         absl::SimpleAtoi(words[0], &entry.dump_id) &&
         absl::SimpleAtoi(words[2], &entry.class_oid) &&
         absl::SimpleAtoi(absl::StripSuffix(words[4], ")"), &entry.oid);
}

bool ReadDependencies(absl::string_view text, DumpEntry& entry) {
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(word, &entry.dependencies.emplace_back())) {
      return false;
    }
  }
  return true;
}

bool IsType(absl::string_view text) {
  for (const char byte : text) {
    if (!absl::ascii_isupper(static_cast<unsigned char>(byte)) && byte != ' ') {
      return false;
    }
  }
  return !text.empty();
}

// "NAME; Type: TYPE; Schema: SCHEMA; Owner: OWNER". Names may hold anything,
// so there must be exactly one place at which the line can be divided.
bool ReadName(absl::string_view text, DumpEntry& entry) {
  constexpr absl::string_view kType = "; Type: ";
  constexpr absl::string_view kSchema = "; Schema: ";
  constexpr absl::string_view kOwner = "; Owner: ";
  int readings = 0;
  for (size_t at = text.find(kType); at != absl::string_view::npos;
       at = text.find(kType, at + 1)) {
    const size_t type = at + kType.size();
    const size_t end = text.find(kSchema, type);
    if (end == absl::string_view::npos) break;
    if (!IsType(text.substr(type, end - type))) continue;
    absl::string_view schema = text.substr(end + kSchema.size());
    const size_t owner = schema.rfind(kOwner);
    if (owner == absl::string_view::npos) continue;
    schema = schema.substr(0, owner);
    entry.name = std::string(text.substr(0, at));
    entry.type = std::string(text.substr(type, end - type));
    entry.schema = schema == "-" ? "" : std::string(schema);
    ++readings;
  }
  return readings == 1;
}

class ScriptReader {
 public:
  explicit ScriptReader(absl::string_view script) : lines_(script) {}

  absl::StatusOr<DumpScript> Read() {
    for (auto kind = lines_.Next(); kind != SqlLines::Kind::kEnd;
         kind = lines_.Next()) {
      RETURN_IF_ERROR(Take(kind));
    }
    if (!complete_ || in_header_) return Bad("the script is cut off");
    if (!restrict_key_.empty()) return Bad("\\unrestrict is missing");
    for (size_t place = 0; place < script_.entries.size(); ++place) {
      std::string& sql = script_.entries[place].sql;
      absl::StripTrailingAsciiWhitespace(&sql);
      if (!sql.empty()) sql.insert(0, carried_by_[place]);
    }
    return std::move(script_);
  }

 private:
  absl::Status Bad(absl::string_view what) const {
    return absl::DataLossError(absl::StrCat("pg_restore's script, line ",
                                            lines_.number(), ": ", what));
  }

  absl::Status Take(SqlLines::Kind kind) {
    switch (kind) {
      case SqlLines::Kind::kComment:
        return TakeComment(lines_.line());
      case SqlLines::Kind::kPsqlCommand:
        return TakePsqlCommand(lines_.line());
      case SqlLines::Kind::kText:
        return TakeText(lines_.line());
      case SqlLines::Kind::kMalformed:
        return Bad("an open quote, or a backslash outside of quotes");
      case SqlLines::Kind::kEnd:
        break;
    }
    return absl::OkStatus();
  }

  absl::Status TakeComment(absl::string_view line) {
    if (absl::ConsumePrefix(&line, kEntry)) {
      if (in_header_) return Bad("entry without a name");
      script_.entries.emplace_back();
      carried_by_.push_back(absl::StrCat(carried_[0], carried_[1]));
      in_header_ = true;
      if (!ReadIds(line, Entry())) return Bad("unreadable TOC entry");
    } else if (in_header_ && absl::ConsumePrefix(&line, kDependencies)) {
      if (!ReadDependencies(line, Entry())) {
        return Bad("unreadable dependencies");
      }
    } else if (in_header_ && absl::ConsumePrefix(&line, kName)) {
      if (!ReadName(line, Entry())) {
        return Bad("an entry's name can be read in several ways or in none");
      }
    } else if (line == "--") {
      if (in_header_ && Entry().type.empty()) {
        return Bad("entry without a name");
      }
      in_header_ = false;
    } else if (line == kComplete) {
      complete_ = true;
    }
    return absl::OkStatus();
  }

  // Clients of August 2025 and later guard the script against its own data.
  absl::Status TakePsqlCommand(absl::string_view line) {
    if (absl::ConsumePrefix(&line, "\\restrict ") && restrict_key_.empty() &&
        script_.entries.empty()) {
      restrict_key_ = std::string(line);
    } else if (absl::ConsumePrefix(&line, "\\unrestrict ") && complete_ &&
               line == restrict_key_) {
      restrict_key_.clear();
    } else {
      return Bad("a psql command");
    }
    return absl::OkStatus();
  }

  absl::Status TakeText(absl::string_view line) {
    if (in_header_ || complete_) {
      return line.empty() && !in_header_ ? absl::OkStatus()
                                         : Bad("text where none may be");
    }
    for (size_t place = 0; place < std::size(kCarried); ++place) {
      if (!absl::StartsWith(line, kCarried[place])) continue;
      carried_[place] = absl::StrCat(line, "\n");
      return absl::OkStatus();
    }
    if (!script_.entries.empty()) {
      std::string& sql = Entry().sql;
      if (!line.empty() || !sql.empty()) absl::StrAppend(&sql, line, "\n");
      return absl::OkStatus();
    }
    if (line.empty()) return absl::OkStatus();
    if (!absl::StartsWith(line, "SET ") &&
        !absl::StartsWith(line, "SELECT pg_catalog.set_config(")) {
      return Bad("something other than a setting before the first entry");
    }
    script_.preamble.emplace_back(line);
    return absl::OkStatus();
  }

  DumpEntry& Entry() { return script_.entries.back(); }

  SqlLines lines_;
  DumpScript script_;
  std::string carried_[std::size(kCarried)];
  std::vector<std::string> carried_by_;  // Of each entry.
  std::string restrict_key_;
  bool in_header_ = false;
  bool complete_ = false;
};

}  // namespace

std::string DumpEntry::Display() const {
  if (schema.empty()) return absl::StrCat(type, " ", name);
  return absl::StrCat(type, " ", schema, ".", name);
}

absl::StatusOr<DumpScript> ParseDumpScript(absl::string_view script) {
  return ScriptReader(script).Read();
}

}  // namespace walferry
