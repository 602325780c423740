// Pseudo-random numbers that are the same on every platform and compiler.
//
// The generator is xoshiro256** (Blackman & Vigna, "Scrambled Linear Pseudorandom Number
// Generators", ACM TOMS 2021), its state filled by SplitMix64 (Steele, Lea & Flood, OOPSLA 2014).
// The standard library's distributions differ between implementations, so none is used; Normal()
// calls no mathematical library function that is allowed to differ (only fma and sqrt, which IEEE
// 754 rounds exactly).
//
// Not for secrets. Not thread-safe: fork one generator a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fettle {

class Random {
 public:
  explicit Random(uint64_t seed);

  // The seed it was made with; store this to make the same generator again.
  uint64_t seed() const { return seed_; }

  // A generator for a part of the work. It depends on seed() and the label only, never on how much
  // has been drawn, so adding draws in one part leaves the others as they were.
  Random Fork(std::string_view label) const;
  Random Fork(uint64_t index) const;

  // 64 uniform bits.
  uint64_t Next();

  // Uniform in [0, 1), a multiple of 2^-53.
  double Uniform();

  // Uniform in [low, high]; high is reached only by rounding. Asserts low <= high, both finite.
  double Uniform(double low, double high);

  // Uniform in {0, ..., bound - 1}, without bias. Asserts bound > 0.
  uint64_t Below(uint64_t bound);

  // Uniform in {low, ..., high}, both included. Asserts low <= high.
  int64_t Integer(int64_t low, int64_t high);

  // True with the given probability; always draws one number.
  bool Chance(double probability) { return Uniform() < probability; }

  // Standard normal, by Marsaglia's polar method (Marsaglia & Bray 1964).
  double Normal();
  double Normal(double mean, double deviation);

  // A uniform permutation of 0, ..., n - 1 (Fisher & Yates).
  std::vector<size_t> Permutation(size_t n);

  template <typename T>
  void Shuffle(std::vector<T>* values) {
    for (size_t i = values->size(); i > 1; --i) {
      using std::swap;
      swap((*values)[i - 1], (*values)[static_cast<size_t>(Below(i))]);
    }
  }

  // The seed and the state as five hexadecimal numbers on one line, and back. Restore answers
  // nothing when the text is not such a line.
  std::string Save() const;
  static std::optional<Random> Restore(std::string_view text);

  friend bool operator==(const Random&, const Random&) = default;

 private:
  uint64_t seed_;
  uint64_t state_[4];
};

}  // namespace fettle
