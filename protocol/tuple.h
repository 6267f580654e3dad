#ifndef PROTOCOL_TUPLE_H_
#define PROTOCOL_TUPLE_H_

// One row as pgoutput sends it (TupleData; "Logical Replication Message
// Formats" in the PostgreSQL manual).

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "protocol/byte_cursor.h"

namespace walferry {

enum class ColumnKind : char {
  kNull = 'n',
  kUnchanged = 'u',  // A TOASTed value that did not change: not sent.
  kText = 't',
  kBinary = 'b',
};

// One column of a row. `value` is empty unless the kind is kText or kBinary.
struct Column {
  ColumnKind kind = ColumnKind::kNull;
  absl::string_view value;

  bool has_value() const {
    return kind == ColumnKind::kText || kind == ColumnKind::kBinary;
  }
};

// Which row of a change it is: only a new one may hold unchanged columns.
enum class RowRole { kNew, kOld };

// A decoded row: checked when it was read, so walking it cannot fail.
// Views the message's buffer: valid only as long as that buffer is.
class TupleView {
 public:
  TupleView() = default;

  // Reads one TupleData; marks `in` failed if it is malformed.
  static TupleView Read(ByteCursor& in, RowRole role = RowRole::kNew);

  uint16_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The bytes behind the column count: kind, length and value of each column.
  absl::string_view bytes() const { return bytes_; }

  // Walks the columns in order, without calls through pointers:
  //   for (TupleView::Walker walk(row); !walk.done();) Use(walk.Next());
  class Walker {
   public:
    explicit Walker(const TupleView& tuple)
        : at_(tuple.bytes_.data()), left_(tuple.size_) {}
    bool done() const { return left_ == 0; }
    // Must not be called when done().
    Column Next();

   private:
    const char* at_;  // Unchecked: Read() has seen every column.
    uint16_t left_;
  };

 private:
  uint16_t size_ = 0;
  absl::string_view bytes_;
};

inline Column TupleView::Walker::Next() {
  --left_;
  Column column{static_cast<ColumnKind>(*at_++), {}};
  if (column.has_value()) {
    const uint32_t size = LoadBigEndian<uint32_t>(at_);
    column.value = absl::string_view(at_ + 4, size);
    at_ += 4 + size_t{size};
  }
  return column;
}

}  // namespace walferry

#endif  // PROTOCOL_TUPLE_H_
