#ifndef ENGINE_ARCHIVE_ARCHIVE_FACTS_H_
#define ENGINE_ARCHIVE_ARCHIVE_FACTS_H_

// What an archive is and where it comes from: walferry.json beside it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace walferry {

inline constexpr char kFactsName[] = "walferry.json";
// In a folder that is not in pg_dump's directory format itself.
inline constexpr char kCustomName[] = "archive.dump";
inline constexpr char kPlainName[] = "archive.sql";

enum class ArchiveFormat { kDirectory, kCustom, kPlain };

// "directory", "custom" or "plain", as pg_dump says.
absl::string_view FormatName(ArchiveFormat format);

struct ArchiveFacts {
  ArchiveFormat format = ArchiveFormat::kDirectory;
  std::string database;
  std::string server_version;     // "15.18".
  std::string client_version;     // Of pg_dump.
  std::string system_identifier;  // Of the source; "": it did not say.
  std::string encoding;           // "UTF8".
  std::string compression;        // "zstd:1", "none".
  int64_t database_bytes = 0;     // pg_database_size() when it was dumped.
  int64_t archive_bytes = 0;      // Without manifest and facts.
  // Of the beginning: rows that were committed later are not in it.
  absl::Time time;
  // The options that made it of less than the whole database:
  // "--schema-only", "--exclude-table audit.*". nullopt: it does not say.
  std::optional<std::vector<std::string>> omissions;

  // It says that it was made with that option.
  bool Omits(absl::string_view option) const;
  // Takes options away that were asked for, so that nothing is amiss.
  void TakeAsAsked(absl::Span<const absl::string_view> options);
  // The database may have that name: one that is no UTF-8 was written down
  // with U+FFFD in it by earlier versions.
  bool MayBeOf(absl::string_view dbname) const;

  friend bool operator==(const ArchiveFacts&, const ArchiveFacts&) = default;
};

// Of dumps without publications and subscriptions.
inline constexpr absl::string_view kReplicationOptions[] = {
    "--no-publications", "--no-subscriptions"};

// "made with --schema-only, --no-acl: not of the whole database", or "".
std::string OmissionsText(const ArchiveFacts& facts);

std::string FactsToJson(const ArchiveFacts& facts);

// kDataLoss: which field is malformed. Fields that it does not know do not
// matter.
absl::StatusOr<ArchiveFacts> FactsFromJson(absl::string_view text);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_FACTS_H_
