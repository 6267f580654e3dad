#ifndef ENGINE_ARCHIVE_SCRIPT_ROWS_H_
#define ENGINE_ARCHIVE_SCRIPT_ROWS_H_

// Counts the rows in a script that pg_dump or pg_restore has printed.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "engine/archive/line_reader.h"

namespace walferry {

struct ScriptRows {
  // By the table's name as SQL has it in the script: public.orders.
  std::map<std::string, int64_t> tables;
  // Headers of tables whose rows are not in COPY's format.
  std::vector<std::string> uncounted;
  int64_t large_objects = 0;
};

// Reads the script piece by piece, of any size. Rows are counted exactly: COPY
// writes one line for each. A COPY counts only below its header, so that text
// elsewhere may look like one.
class ScriptRowCounter {
 public:
  void Add(absl::string_view piece);
  // All has been added.
  ScriptRows Finish();

 private:
  void TakeLine(absl::string_view line);
  void TakeHeader(absl::string_view line);
  void TakeCopy(absl::string_view statement);

  ScriptRows rows_;
  LineReader lines_;
  std::string statement_;  // A COPY that goes on in the next line.
  std::string table_;      // Whose rows follow in a COPY.
  std::string header_;     // Of rows that are still to come.
  bool in_copy_ = false;
};

// The table of "COPY public.t (a, b) FROM stdin;", as it stands there.
absl::string_view TableOfCopy(absl::string_view statement);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_SCRIPT_ROWS_H_
