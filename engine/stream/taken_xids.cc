#include "engine/stream/taken_xids.h"

#include <algorithm>

namespace walferry {
namespace {

constexpr uint32_t kWordBits = 64;

uint64_t BitOf(uint32_t xid) { return uint64_t{1} << (xid % kWordBits); }
size_t WordOf(uint32_t xid) { return xid % TakenXids::kWindow / kWordBits; }

}  // namespace

void TakenXids::Add(uint32_t xid) {
  if (!any_) {
    bits_.assign(kWindow / kWordBits, 0);
    any_ = true;
    newest_ = xid;
  } else if (Before(newest_, xid)) {
    MoveTo(xid);
  }
  // One that has run for so long is too old to be told from others.
  if (newest_ - xid < kWindow) bits_[WordOf(xid)] |= BitOf(xid);
}

// The ids between were not taken, and those at their places are forgotten.
void TakenXids::MoveTo(uint32_t xid) {
  if (xid - newest_ >= kWindow) {
    std::fill(bits_.begin(), bits_.end(), 0);
    newest_ = xid;
    return;
  }
  while (newest_ != xid) {
    ++newest_;
    const bool word_begins = newest_ % kWordBits == 0;
    if (word_begins && xid - newest_ >= kWordBits) {
      bits_[WordOf(newest_)] = 0;
      newest_ += kWordBits - 1;
    } else {
      bits_[WordOf(newest_)] &= ~BitOf(newest_);
    }
  }
}

TakenXids::Answer TakenXids::Has(uint32_t xid) const {
  if (!any_ || Before(newest_, xid)) return Answer::kNo;
  if (newest_ - xid >= kWindow) return Answer::kTooLongAgo;
  return (bits_[WordOf(xid)] & BitOf(xid)) != 0 ? Answer::kYes : Answer::kNo;
}

}  // namespace walferry
