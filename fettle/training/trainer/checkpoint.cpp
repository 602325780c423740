#include "fettle/training/trainer/checkpoint.h"

#include <bit>
#include <cstring>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/fnv1a.h"

namespace fettle {
namespace {

constexpr std::string_view kMagic = "fettle-training";
constexpr uint64_t kVersion = 1;

uint64_t Checksum(std::string_view bytes) {
  Fnv1a hash;
  hash.Add(bytes);
  return hash.value();
}

// All numbers are of 64 bits, little-endian.
void Put(uint64_t number, std::string* bytes) {
  for (int shift = 0; shift < 64; shift += 8) bytes->push_back(static_cast<char>(number >> shift));
}

void PutText(std::string_view text, std::string* bytes) {
  Put(text.size(), bytes);
  bytes->append(text);
}

class Parser {
 public:
  Parser(std::string path, std::string_view bytes) : path_(std::move(path)), bytes_(bytes) {}

  std::string_view Take(uint64_t count) {
    if (count > bytes_.size()) throw BadInput(path_, ": damaged or cut short; start again without");
    const std::string_view part = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return part;
  }
  uint64_t Number() {
    uint64_t number = 0;
    int shift = 0;
    for (const char byte : Take(8)) {
      number |= static_cast<uint64_t>(static_cast<unsigned char>(byte)) << shift;
      shift += 8;
    }
    return number;
  }
  std::string_view TextPart() { return Take(Number()); }

 private:
  std::string path_;
  std::string_view bytes_;
};

}  // namespace

void WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint) {
  std::string bytes(kMagic);
  Put(kVersion, &bytes);
  PutText(checkpoint.description, &bytes);
  Put(static_cast<uint64_t>(checkpoint.step), &bytes);
  Put(std::bit_cast<uint64_t>(checkpoint.epoch_loss), &bytes);
  Put(checkpoint.tensors.size(), &bytes);
  for (const Tensor& tensor : checkpoint.tensors) {
    PutText({reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes()}, &bytes);
  }
  Put(Checksum(bytes), &bytes);
  WriteFileAtomically(path, bytes);
}

Checkpoint ReadCheckpoint(const std::string& path) {
  const std::string bytes = ReadFile(path);
  Parser parser(path, bytes);
  if (bytes.size() < kMagic.size() + 16 || parser.Take(kMagic.size()) != kMagic) {
    throw BadInput(path, ": no checkpoint of a training, or cut short");
  }
  const uint64_t version = parser.Number();
  if (version != kVersion) {
    throw BadInput(path, ": written by another version of fettle (format ", version, ", here ",
                   kVersion, "); start again without it");
  }
  const size_t end = bytes.size() - 8;
  if (Parser(path, std::string_view(bytes).substr(end)).Number() !=
      Checksum(std::string_view(bytes).substr(0, end))) {
    throw BadInput(path, ": damaged or cut short; start again without it");
  }
  Checkpoint checkpoint;
  checkpoint.description = parser.TextPart();
  checkpoint.step = static_cast<int64_t>(parser.Number());
  checkpoint.epoch_loss = std::bit_cast<double>(parser.Number());
  const uint64_t count = parser.Number();
  for (uint64_t i = 0; i < count; ++i) {
    const std::string_view values = parser.TextPart();
    Tensor tensor(TensorType{DType::kF32, {static_cast<int64_t>(values.size() / sizeof(float))}});
    std::memcpy(tensor.bytes(), values.data(), tensor.num_bytes());
    checkpoint.tensors.push_back(std::move(tensor));
  }
  return checkpoint;
}

}  // namespace fettle
