#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fettle {

// FNV-1a in 64 bits (Fowler, Noll & Vo): simple enough never to change, which a number that is
// persisted needs. It tells things apart and finds damage; it is no protection against a forger.
class Fnv1a {
 public:
  // The bytes alone: the hash of a file, or of a text.
  void AddBytes(std::string_view bytes) {
    for (const char c : bytes) AddByte(static_cast<unsigned char>(c));
  }

  // A zero byte ends each field, so that fields cannot run into one another.
  void Add(std::string_view field) {
    AddBytes(field);
    AddByte(0);
  }

  // Eight bytes, the lowest first.
  void AddInteger(uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8) AddByte(static_cast<unsigned char>(value));
  }

  uint64_t value() const { return hash_; }

  // 16 digits.
  std::string HexDigits() const {
    std::string digits(16, '0');
    for (size_t i = 0; i < digits.size(); ++i) {
      digits[i] = "0123456789abcdef"[hash_ >> (60 - 4 * i) & 15];
    }
    return digits;
  }

 private:
  void AddByte(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }

  uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace fettle
