#ifndef APPLY_ROW_ARRAY_H_
#define APPLY_ROW_ARRAY_H_

// The parameters of set statements: arrays of a table's rows, or of its keys,
// in text (array_in, record_in) or binary (array_recv, record_recv).

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/table_mapping.h"
#include "protocol/pg_pipeline.h"
#include "protocol/tuple.h"

namespace walferry {

// The first of the columns that has a value, which tells the format of all;
// null if none has.
const Column* FirstValue(absl::Span<const Column> columns);

// Values are copied as they are, so all of one array must be text, or all
// binary.
class RowArray {
 public:
  // An array of `table`'s row type.
  static RowArray OfRows(const TableMapping& table, bool binary);
  // An array of the type of its only key column.
  static RowArray OfKeys(const TableMapping& table, bool binary);

  // Key columns come from `key`, all others from `row`, which is empty for a
  // delete; what `row` does not say is NULL. False: a value has the other
  // format, and the array is of no further use.
  bool Add(absl::Span<const Column> key, absl::Span<const Column> row);

  size_t count() const { return count_; }
  // Of the array so far.
  size_t bytes() const { return bytes_.size(); }

  // Ends the array; valid until the next Clear().
  PgParam Finish();
  void Clear();

 private:
  RowArray(const TableMapping& table, bool binary, bool keys_only);
  bool AddKey(const Column& value);
  bool AddBinaryRow(absl::Span<const Column> key, absl::Span<const Column> row);
  bool AddTextRow(absl::Span<const Column> key, absl::Span<const Column> row);

  // Of each of the target's columns: the source's, or kNone.
  struct Field {
    size_t source = 0;
    uint32_t type_oid = 0;
    bool key = false;
  };
  static constexpr size_t kNone = SIZE_MAX;
  const Column* ValueOf(const Field& field, absl::Span<const Column> key,
                        absl::Span<const Column> row) const;

  bool binary_;
  bool keys_only_;
  uint32_t element_oid_;
  std::vector<Field> fields_;
  std::string bytes_;
  size_t count_ = 0;
};

}  // namespace walferry

#endif  // APPLY_ROW_ARRAY_H_
