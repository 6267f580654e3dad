#ifndef APPLY_COPY_ROWS_H_
#define APPLY_COPY_ROWS_H_

// New rows as the data of a COPY into their table (BuildCopyIn).

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/table_mapping.h"
#include "protocol/tuple.h"

namespace walferry {

class CopyRows {
 public:
  CopyRows(const TableMapping& table, bool binary);

  // False: a value has the other format, and the data is of no further use.
  bool Add(absl::Span<const Column> row);
  // Behind the last row.
  void End();

  // What was made since the last Clear(), to be sent as it is.
  absl::string_view bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  bool AddBinary(absl::Span<const Column> row);
  bool AddText(absl::Span<const Column> row);

  const bool binary_;
  const std::vector<size_t> columns_;  // TableMapping::FilledColumns().
  std::string bytes_;
};

}  // namespace walferry

#endif  // APPLY_COPY_ROWS_H_
