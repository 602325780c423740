#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

// The bodies of the peer's messages; tools/onnxruntime/peer.mjs describes them.

class MessageWriter {
 public:
  MessageWriter& U32(uint32_t value);
  MessageWriter& I64(int64_t value);
  MessageWriter& Text(std::string_view text);
  MessageWriter& Values(std::string_view name, const Tensor& tensor);

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Each answers nothing where the body is shorter than that or makes no sense.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  std::optional<uint32_t> U32();
  std::optional<int64_t> I64();
  std::optional<double> F64();
  std::optional<std::string> Text();
  std::optional<std::vector<std::string>> Texts();
  std::optional<Tensor> Values();  // its name is skipped
  std::optional<std::vector<double>> Doubles();

  bool at_end() const { return rest_.empty(); }

 private:
  std::optional<std::string_view> Take(size_t length);
  std::optional<Shape> Extents();
  template <typename T>
  std::optional<T> Number();

  std::string_view rest_;
};

}  // namespace fettle
