#include "fettle/training/trainer/training_op_list.h"

#include <string_view>

#include "fettle/core/error.h"

namespace fettle {
namespace {

struct Maker {
  std::string_view op;
  std::unique_ptr<TrainingOp> (*make)(const TrainingOpSpec& spec);
};

constexpr Maker kMakers[] = {
    {Activation::kName, MakeActivation},
    {BatchNorm::kName, MakeBatchNorm},
    {Binary::kName, MakeAddition},
    {Concat::kName, MakeConcatenation},
    {Conv::kName, MakeOnednnConvolution},
    {Gemm::kName, MakeOnednnInnerProduct},
    {GlobalAveragePool::kName, MakeSpatialMean},
    {Identity::kName, MakeReshape},
    {MatMul::kName, MakeOnednnInnerProduct},
    {Pool::kName, MakeOnednnPooling},
    {ReduceMean::kName, MakeSpatialMean},
    {Reshape::kName, MakeReshape},
    {Sum::kName, MakeAddition},
};

}  // namespace

std::unique_ptr<TrainingOp> MakeTrainingOp(const TrainingOpSpec& spec) {
  for (const Maker& maker : kMakers) {
    if (maker.op == NameOf(spec.op)) return maker.make(spec);
  }
  throw BadInput("operator ", NameOf(spec.op), " cannot be trained");
}

bool CanClamp(const Op& op) {
  return std::holds_alternative<BatchNorm>(op) || std::holds_alternative<Binary>(op) ||
         std::holds_alternative<Sum>(op);
}

}  // namespace fettle
