#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/random.h"
#include "tests/support/onnx_builder.h"
#include "tests/support/small_models.h"

namespace fettle {

using Ints = std::vector<int64_t>;

// An OnnxBuilder with random weights, and the record of the inputs.
class SmallNetwork {
 public:
  SmallNetwork(std::string_view name, uint64_t seed);

  std::string Input(const std::string& name, const Shape& shape);
  // The leading extent is left open in the file.
  std::string OpenBatchInput(const std::string& name, const Shape& shape);
  void Output(const std::string& name, const Shape& shape);
  void OpenBatchOutput(const std::string& name, const Shape& shape);

  std::string Node(std::string_view op_type, const std::vector<std::string>& inputs,
                   const OnnxAttributes& attributes = {});
  void NodeTo(const std::vector<std::string>& outputs, std::string_view op_type,
              const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {});

  // A random tensor among the initialisers: normal, or from 1/2 to 3/2.
  std::string Weights(const Shape& shape);
  std::string Scales(const Shape& shape);
  std::string Conv(const std::string& x, const Shape& weights,
                   const OnnxAttributes& attributes = {});  // with a bias
  std::string BatchNorm(const std::string& x, int64_t channels);

  OnnxBuilder& onnx() { return onnx_; }
  SmallModel Finish() const { return {name_, onnx_.Serialize(), inputs_, outputs_}; }

 private:
  std::string name_;
  OnnxBuilder onnx_;
  Random random_;
  int weights_ = 0;
  std::vector<TensorType> inputs_, outputs_;
};

// The models by what is awkward in them: how values are wired, and single operators.
void AddWiringModels(uint64_t seed, std::vector<SmallModel>* models);
void AddOperatorModels(uint64_t seed, std::vector<SmallModel>* models);

}  // namespace fettle
