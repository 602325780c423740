#include "fettle/core/fingerprint.h"

#include "fettle/core/fnv1a.h"

namespace fettle {

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
