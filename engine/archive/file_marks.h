#ifndef ENGINE_ARCHIVE_FILE_MARKS_H_
#define ENGINE_ARCHIVE_FILE_MARKS_H_

// Whether files are still what they were: they are read more than once, by us
// and by programs that we start, and somebody may write meanwhile.

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace walferry {

// By inode, size and time of change, not by content: whoever takes back the
// clock of a file goes unseen.
class FileMarks {
 public:
  // Of a file, or of every file below a folder.
  static absl::StatusOr<FileMarks> Of(const std::string& path);

  // kDataLoss: which files were changed, are gone or are new.
  absl::Status CheckUnchanged() const;

 private:
  struct Mark {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t bytes = 0;
    int64_t seconds = 0;  // Of the last change.
    int64_t nanoseconds = 0;

    friend bool operator==(const Mark&, const Mark&) = default;
  };

  static absl::StatusOr<Mark> MarkOf(const std::string& file);

  std::string path_;
  std::map<std::string, Mark> marks_;  // By the file's path.
};

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_FILE_MARKS_H_
