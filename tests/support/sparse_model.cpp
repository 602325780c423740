#include "tests/support/sparse_model.h"

#include <onnx/onnx.pb.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>

#include "fettle/core/random.h"

namespace fettle {
namespace {

// `data`: values of four bytes. The zero of an f32 is that of its bytes.
void ZeroSome(double sparsity, Random random, std::string* data) {
  const size_t count = data->size() / sizeof(float);
  const auto zeros = static_cast<size_t>(std::llround(sparsity * static_cast<double>(count)));
  const std::vector<size_t> places = random.Permutation(count);
  for (size_t i = 0; i < zeros; ++i) {
    std::fill_n(data->begin() + static_cast<std::ptrdiff_t>(places[i] * sizeof(float)),
                sizeof(float), '\0');
  }
}

}  // namespace

std::string WithZeros(const std::string& model, const ZeroOptions& options) {
  onnx::ModelProto proto;
  [[maybe_unused]] const bool is_parsed = proto.ParseFromString(model);
  assert(is_parsed);
  std::map<std::string, onnx::TensorProto*> initializers;
  for (onnx::TensorProto& tensor : *proto.mutable_graph()->mutable_initializer()) {
    initializers[tensor.name()] = &tensor;
  }
  const Random random(options.seed);
  uint64_t convolutions = 0;
  for (const onnx::NodeProto& node : proto.graph().node()) {
    if (node.op_type() != "Conv") continue;
    const uint64_t index = convolutions++;
    if (index == 0 && options.dense_first) continue;
    onnx::TensorProto* weights = initializers.at(node.input(1));
    assert(weights->data_type() == onnx::TensorProto::FLOAT && weights->has_raw_data());
    ZeroSome(options.sparsity, random.Fork(index), weights->mutable_raw_data());
  }
  return proto.SerializeAsString();
}

}  // namespace fettle
