#pragma once

#include <cstdint>
#include <optional>

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/training/data/dataset.h"
#include "fettle/training/trainer/trainer.h"

namespace fettle {

// Short trainings of changed networks back towards what the original answers, by distillation from
// it. All of a session are alike but for their length.
class Recovery {
 public:
  static constexpr int64_t kBatch = 128;

  // Both outlive it. Trained in bf16 where the target can, else in f32.
  Recovery(const Graph& original, const Dataset& train, const Target& target);

  // The original's answers to the training images, looked up once; takes seconds.
  void Prepare();
  bool is_prepared() const { return teacher_.has_value(); }

  // `start` after so many steps (at least one). The callback is the trainer's and may stop it; what
  // is trained by then is the result. Throws Error (kBadInput) where an operator cannot be trained
  // or the training comes apart.
  Graph Run(const Graph& start, double steps, uint64_t seed, const TrainCallback& callback = {});

 private:
  TrainSettings Settings(double steps, uint64_t seed) const;
  DType Type() const { return target_.has_avx512_bf16 ? DType::kBF16 : DType::kF32; }

  const Graph& original_;
  const Dataset& train_;
  Target target_;
  std::optional<Teacher> teacher_;
};

}  // namespace fettle
