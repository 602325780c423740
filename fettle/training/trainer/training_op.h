#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "fettle/core/op.h"
#include "fettle/core/target.h"

namespace fettle {

// In training every activation lies with its channels last ([N,H,W,C]; [N,C] where there are no
// other axes): oneDNN then has a fast kernel for every width in all three passes, while its blocked
// layouts fall back to reference code where the channels are no multiple of 16, and our own kernels
// have the channels innermost. Shapes are still written channels first. Parameters are f32 and
// row-major.

// Limits to which an operator's result is cut off before it is written: ReLU and ReLU6 fused.
struct Clamp {
  float low = 0, high = 0;
};

// What an operator is made for.
struct TrainingOpSpec {
  const Op& op;
  std::vector<TensorType> inputs;  // the batch's part included; parameters f32
  std::vector<bool> is_parameter;  // of each input
  Shape output;
  std::optional<Clamp> clamp;  // only where CanClamp
  Target target;               // one thread
};

// What becomes of the gradient on its way from the output to those inputs that are activations.
enum class GradientFlow : uint8_t {
  kOwn,          // each input's is computed into memory of its own
  kElementwise,  // they are all the same, and may be computed in the output gradient's memory
  kPassed,       // they are all the output's gradient itself
};

// Memory of one pass. A pointer is null where the operator has no business with it.
struct OpMemory {
  std::vector<const std::byte*> inputs;  // activations and parameters
  std::byte* output = nullptr;
  const std::byte* output_gradient = nullptr;
  std::vector<std::byte*> input_gradients;  // written, not added to; of parameters f32
  std::vector<float*> estimates;  // of inputs that are estimated, not learned (batch norm's mean
                                  // and variance): where Forward leaves this batch's value
  std::byte* scratch = nullptr;
};

enum class PassMode : uint8_t { kTraining, kInference };

// One operator in training form: made for one shape, run many times, each time by one thread.
class TrainingOp {
 public:
  virtual ~TrainingOp() = default;

  virtual DType OutputType() const = 0;
  virtual GradientFlow Flow() const { return GradientFlow::kOwn; }
  // The output is the input's memory, and Forward does nothing.
  virtual bool IsView() const { return false; }
  virtual size_t ScratchBytes() const { return 0; }

  virtual void Forward(const OpMemory& memory, PassMode mode) = 0;

  // Called after a Forward in training mode with the same inputs and output.
  virtual void Backward(const OpMemory& memory) = 0;
};

}  // namespace fettle
