#include "engine/archive/archive_list.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr uint32_t kExtensionCatalog = 3079;  // pg_extension.

// "15.18" of "15.18 (Debian 15.18-0+deb12u1)".
std::string FirstWord(absl::string_view text) {
  return std::string(text.substr(0, text.find(' ')));
}

// ";     dbname: shop", without the semicolon.
void ReadHeading(absl::string_view line, ArchiveList& list) {
  line = absl::StripAsciiWhitespace(line);
  if (absl::ConsumePrefix(&line, "dbname: ")) {
    list.database = std::string(line);
  } else if (absl::ConsumePrefix(&line, "Format: ")) {
    list.format = std::string(line);
  } else if (absl::ConsumePrefix(&line, "Dumped from database version: ")) {
    list.server_version = FirstWord(line);
  } else if (absl::ConsumePrefix(&line, "Dumped by pg_dump version: ")) {
    list.client_version = FirstWord(line);
  }
}

// "215; 1259 16386 TABLE public orders shop".
bool ReadEntry(absl::string_view line, ArchiveListEntry& entry) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(line, absl::MaxSplits(' ', 3));
  if (words.size() < 4) return false;
  entry.text = std::string(words[3]);
  absl::string_view id = words[0];
  return absl::ConsumeSuffix(&id, ";") &&
         absl::SimpleAtoi(id, &entry.dump_id) &&
         absl::SimpleAtoi(words[1], &entry.class_oid) &&
         absl::SimpleAtoi(words[2], &entry.oid);
}

}  // namespace

std::vector<std::string> ArchiveList::Extensions() const {
  std::vector<std::string> names;
  for (const ArchiveListEntry& entry : entries) {
    absl::string_view text = entry.text;
    if (entry.class_oid != kExtensionCatalog ||
        !absl::ConsumePrefix(&text, "EXTENSION - ")) {
      continue;
    }
    // Extensions have no owner in an archive.
    names.emplace_back(absl::StripTrailingAsciiWhitespace(text));
  }
  return names;
}

absl::StatusOr<ArchiveList> ParseArchiveList(absl::string_view text) {
  ArchiveList list;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (absl::ConsumePrefix(&line, ";")) {
      ReadHeading(line, list);
    } else if (!ReadEntry(line, list.entries.emplace_back())) {
      return absl::DataLossError(
          absl::StrCat("pg_restore's list, line ", number, ": malformed"));
    }
  }
  if (list.format.empty()) {
    return absl::DataLossError("pg_restore's list: no format");
  }
  return list;
}

}  // namespace walferry
