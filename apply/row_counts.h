#ifndef APPLY_ROW_COUNTS_H_
#define APPLY_ROW_COUNTS_H_

// What is left of inserts and deletes of rows that nothing but their values
// tells apart.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "protocol/tuple.h"

namespace walferry {

// A delete takes back an insert before it. Where there is none the target must
// have had the row, so an insert behind a delete is one of its own: that the
// row was there is found out by deleting it.
//
// Rows are compared by their bytes. Views them; they outlive this.
class RowCounts {
 public:
  // The columns whose values count.
  explicit RowCounts(std::vector<size_t> columns);
  RowCounts(const RowCounts&) = delete;
  RowCounts& operator=(const RowCounts&) = delete;

  // `changes`: 0 for one half of a change.
  void Insert(absl::Span<const Column> row);
  void Delete(absl::Span<const Column> row, size_t changes = 1);

  struct Count {
    absl::Span<const Column> row;
    size_t deletes = 0;  // To be done first.
    size_t inserts = 0;
    size_t changes = 0;  // That came down to these.
  };
  // In the order in which the rows were first seen. While there are only
  // inserts equal rows may be listed one by one.
  absl::Span<const Count> counts() const { return counts_; }
  bool empty() const { return counts_.empty(); }
  void Clear();

 private:
  // A row, equal to those with the same values.
  struct Image {
    absl::Span<const Column> row;
    const std::vector<size_t>* columns;

    friend bool operator==(const Image& a, const Image& b) {
      for (const size_t column : *a.columns) {
        if (a.row[column].kind != b.row[column].kind ||
            a.row[column].value != b.row[column].value) {
          return false;
        }
      }
      return true;
    }
    template <typename H>
    friend H AbslHashValue(H h, const Image& image) {
      for (const size_t column : *image.columns) {
        h = H::combine(std::move(h), image.row[column].kind,
                       image.row[column].value);
      }
      return h;
    }
  };

  Count& Find(absl::Span<const Column> row);
  void Index();

  const std::vector<size_t> columns_;
  std::vector<Count> counts_;
  // Where each row's count is, once there was a delete: many tables never see
  // one.
  bool indexed_ = false;
  absl::flat_hash_map<Image, size_t> index_;
};

}  // namespace walferry

#endif  // APPLY_ROW_COUNTS_H_
