#ifndef TESTS_DIFFERENTIAL_DICE_H_
#define TESTS_DIFFERENTIAL_DICE_H_

// Draws that are the same for the same seed, everywhere: the distributions of
// <random> may differ between libraries.

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace walferry {

class Dice {
 public:
  // What is drawn for one purpose does not change what is drawn for another.
  Dice(uint64_t seed, uint32_t purpose) {
    std::seed_seq sequence{static_cast<uint32_t>(seed),
                           static_cast<uint32_t>(seed >> 32), purpose};
    random_.seed(sequence);
  }

  // Both included.
  int Pick(int low, int high) {
    return low +
           static_cast<int>(random_() % static_cast<uint64_t>(high - low + 1));
  }
  bool Chance(int percent) { return Pick(1, 100) <= percent; }

  template <typename T>
  const T& OneOf(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(random_() % choices.size())];
  }

  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t rest = items.size(); rest > 1; --rest) {
      std::swap(items[rest - 1], items[random_() % rest]);
    }
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_DICE_H_
