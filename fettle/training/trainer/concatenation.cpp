#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/training/trainer/training_op_list.h"

namespace fettle {
namespace {

// Of channels: with channels last, a run of each input for each pixel.
class Concatenation : public TrainingOp {
 public:
  explicit Concatenation(const TrainingOpSpec& spec) : dtype_(spec.inputs[0].dtype) {
    const auto size = static_cast<int64_t>(SizeOf(dtype_));
    for (const TensorType& input : spec.inputs) runs_.push_back(input.shape[1] * size);
    run_ = spec.output[1] * size;
    pixels_ = ElementCount(spec.output) / spec.output[1];
  }

  DType OutputType() const override { return dtype_; }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    int64_t offset = 0;
    for (size_t i = 0; i < runs_.size(); offset += runs_[i++]) {
      CopyRuns(memory.inputs[i], runs_[i], memory.output + offset, run_, runs_[i]);
    }
  }

  void Backward(const OpMemory& memory) override {
    int64_t offset = 0;
    for (size_t i = 0; i < runs_.size(); offset += runs_[i++]) {
      if (memory.input_gradients[i] == nullptr) continue;
      CopyRuns(memory.output_gradient + offset, run_, memory.input_gradients[i], runs_[i],
               runs_[i]);
    }
  }

 private:
  void CopyRuns(const std::byte* from, int64_t from_stride, std::byte* to, int64_t to_stride,
                int64_t bytes) const {
    for (int64_t p = 0; p < pixels_; ++p) {
      std::copy_n(from + p * from_stride, bytes, to + p * to_stride);
    }
  }

  DType dtype_;
  std::vector<int64_t> runs_;  // bytes of a pixel of each input
  int64_t run_ = 0, pixels_ = 0;
};

}  // namespace

std::unique_ptr<TrainingOp> MakeConcatenation(const TrainingOpSpec& spec) {
  if (std::get<Concat>(spec.op).axis != 1) {
    throw BadInput("only the concatenation of channels (axis 1) can be trained");
  }
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    if (spec.is_parameter[i] || spec.inputs[i].dtype != spec.inputs[0].dtype) {
      throw BadInput("only the concatenation of activations of one type can be trained");
    }
  }
  return std::make_unique<Concatenation>(spec);
}

}  // namespace fettle
