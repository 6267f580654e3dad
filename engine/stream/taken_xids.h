#ifndef ENGINE_STREAM_TAKEN_XIDS_H_
#define ENGINE_STREAM_TAKEN_XIDS_H_

// Which transactions a stream has taken from the source, in two megabytes.

#include <cstdint>
#include <vector>

namespace walferry {

// Knows the last 16 million ids up to the newest one that was added. Ids go
// round: one is newer than another if it is less than 2^31 ahead of it. Used by
// one thread at a time.
class TakenXids {
 public:
  static constexpr uint32_t kWindow = uint32_t{1} << 24;

  enum class Answer { kNo, kYes, kTooLongAgo };

  void Add(uint32_t xid);
  Answer Has(uint32_t xid) const;
  // Whether one was added that is not before `xid`.
  bool HasFrom(uint32_t xid) const { return any_ && !Before(newest_, xid); }

 private:
  static bool Before(uint32_t one, uint32_t other) {
    return static_cast<int32_t>(one - other) < 0;
  }
  void MoveTo(uint32_t xid);

  bool any_ = false;
  uint32_t newest_ = 0;
  // A bit for each id of the window, at its low 24 bits.
  std::vector<uint64_t> bits_;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_TAKEN_XIDS_H_
