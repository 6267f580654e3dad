#ifndef APPLY_COLUMN_SET_H_
#define APPLY_COLUMN_SET_H_

// A set of a relation's columns, by their index from 0.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace walferry {

// Small tables' sets allocate nothing. Equal sets are equal however they came
// about.
class ColumnSet {
 public:
  void Add(size_t column) {
    const size_t word = column / 64;
    if (word >= words_.size()) words_.resize(word + 1);
    words_[word] |= uint64_t{1} << column % 64;
  }
  bool Contains(size_t column) const {
    const size_t word = column / 64;
    return word < words_.size() && (words_[word] >> column % 64 & 1) != 0;
  }

  friend bool operator==(const ColumnSet&, const ColumnSet&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ColumnSet& set) {
    return H::combine(std::move(h), set.words_);
  }

 private:
  // The last word is never zero.
  absl::InlinedVector<uint64_t, 2> words_;
};

}  // namespace walferry

#endif  // APPLY_COLUMN_SET_H_
