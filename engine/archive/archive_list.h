#ifndef ENGINE_ARCHIVE_ARCHIVE_LIST_H_
#define ENGINE_ARCHIVE_ARCHIVE_LIST_H_

// What `pg_restore --list` prints of an archive.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

struct ArchiveListEntry {
  int dump_id = 0;
  // Of the catalog and of the object on the source; 0 for what is no object of
  // its own.
  uint32_t class_oid = 0;
  uint32_t oid = 0;
  // "TABLE public orders shop": type, schema or -, name and owner. Names may
  // hold spaces, so it cannot be divided for sure.
  std::string text;

  friend bool operator==(const ArchiveListEntry&,
                         const ArchiveListEntry&) = default;
};

struct ArchiveList {
  std::string database;
  std::string format;          // "DIRECTORY".
  std::string server_version;  // "15.18"; "" if it does not say.
  std::string client_version;
  std::vector<ArchiveListEntry> entries;

  // Names of those that a restore creates.
  std::vector<std::string> Extensions() const;
};

// kDataLoss, with the line's number: not such a list.
absl::StatusOr<ArchiveList> ParseArchiveList(absl::string_view text);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_LIST_H_
