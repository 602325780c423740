#include "fettle/core/fingerprint.h"

#include <string_view>

namespace fettle {
namespace {

// FNV-1a in 64 bits (Fowler, Noll & Vo): simple enough never to change, which an id that
// is persisted needs. It tells devices apart; it is no protection against a forger.
class Fnv1a {
 public:
  // A zero byte ends each field, so that fields cannot run into one another.
  void Add(std::string_view field) {
    for (const char c : field) AddByte(static_cast<unsigned char>(c));
    AddByte(0);
  }

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

}  // namespace

std::string DeviceId(const Fingerprint& fingerprint) {
  Fnv1a hash;
  hash.Add(fingerprint.cpu_model);
  for (const std::string& name : fingerprint.isa) hash.Add(name);
  hash.Add("");  // the lists' end
  hash.Add(std::to_string(fingerprint.cores));
  for (const int64_t bytes : fingerprint.cache_bytes) hash.Add(std::to_string(bytes));
  return hash.HexDigits();
}

}  // namespace fettle
