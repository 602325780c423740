#include "fettle/core/random.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <numeric>

#include "fettle/core/fnv1a.h"

namespace fettle {
namespace {

constexpr uint64_t kGoldenGamma = 0x9e3779b97f4a7c15u;

uint64_t RotateLeft(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// The output function of SplitMix64: a bijection that mixes all bits.
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t Hash(std::string_view text) {
  Fnv1a hash;
  hash.AddBytes(text);
  return hash.value();
}

// Natural logarithm of a positive, normal x: x = m 2^e with m in [sqrt(1/2), sqrt(2)), and
// log m = 2 atanh s = 2 s (1 + s^2/3 + s^4/5 + ...) for s = (m - 1) / (m + 1), |s| < 0.172. Every
// multiply-add is an explicit fma, so that no compiler can contract (or not contract) it.
double PortableLog(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);
  if (mantissa < 0.70710678118654752) {
    mantissa *= 2;
    --exponent;
  }
  const double s = (mantissa - 1) / (mantissa + 1);
  const double square = s * s;
  double series = 0;
  for (int n = 23; n >= 1; n -= 2) series = std::fma(series, square, 1.0 / n);
  constexpr double kLog2 = 0.69314718055994531;
  return std::fma(static_cast<double>(exponent), kLog2, (2 * s) * series);
}

}  // namespace

Random::Random(uint64_t seed) : seed_(seed) {
  uint64_t z = seed;
  for (uint64_t& word : state_) word = Mix(z += kGoldenGamma);
}

Random Random::Fork(std::string_view label) const {
  return Random(Mix(Mix(seed_ + kGoldenGamma) ^ Hash(label)));
}

Random Random::Fork(uint64_t index) const {
  // Another constant than in the fork by label, so that the two families differ.
  return Random(Mix(Mix(seed_ + 2 * kGoldenGamma) ^ (index * kGoldenGamma)));
}

uint64_t Random::Next() {
  const uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = RotateLeft(state_[3], 45);
  return result;
}

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

double Random::Uniform(double low, double high) {
  assert(std::isfinite(low) && std::isfinite(high) && low <= high);
  return std::fma(Uniform(), high - low, low);
}

uint64_t Random::Below(uint64_t bound) {
  assert(bound > 0);
  // The lowest 2^64 mod bound values are refused; what is left divides evenly.
  const uint64_t refused = (0 - bound) % bound;
  uint64_t x = Next();
  while (x < refused) x = Next();
  return x % bound;
}

int64_t Random::Integer(int64_t low, int64_t high) {
  assert(low <= high);
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  const uint64_t offset = span == 0 ? Next() : Below(span);  // span 0: all 2^64 values
  return static_cast<int64_t>(static_cast<uint64_t>(low) + offset);
}

double Random::Normal() {
  for (;;) {
    const double u = std::fma(2.0, Uniform(), -1.0);
    const double v = std::fma(2.0, Uniform(), -1.0);
    const double s = std::fma(u, u, v * v);
    if (s >= 1 || s == 0) continue;
    return u * std::sqrt(-2 * PortableLog(s) / s);
  }
}

double Random::Normal(double mean, double deviation) { return std::fma(deviation, Normal(), mean); }

std::vector<size_t> Random::Permutation(size_t n) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  Shuffle(&order);
  return order;
}

std::string Random::Save() const {
  std::string text;
  const auto append = [&text](uint64_t word) {
    char digits[16];
    const auto result = std::to_chars(digits, digits + sizeof digits, word, 16);
    if (!text.empty()) text += ' ';
    text.append(digits, result.ptr);
  };
  append(seed_);
  for (uint64_t word : state_) append(word);
  return text;
}

std::optional<Random> Random::Restore(std::string_view text) {
  Random random(0);
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto read = [&at, end](uint64_t* word) {
    const auto result = std::from_chars(at, end, *word, 16);
    at = result.ptr;
    return result.ec == std::errc();
  };
  if (!read(&random.seed_)) return std::nullopt;
  for (uint64_t& word : random.state_) {
    if (at == end || *at != ' ') return std::nullopt;
    ++at;
    if (!read(&word)) return std::nullopt;
  }
  const uint64_t* s = random.state_;
  // The all-zero state is the one that xoshiro256** never leaves.
  if (at != end || (s[0] | s[1] | s[2] | s[3]) == 0) return std::nullopt;
  return random;
}

}  // namespace fettle
