#pragma once

#include <memory>
#include <string>

#include "fettle/training/trainer/training_op.h"

namespace fettle {

// The operator in training form. Throws an Error that says what is not supported, without the
// node's name.
std::unique_ptr<TrainingOp> MakeTrainingOp(const TrainingOpSpec& spec);

// One maker an operator, each in the file of its name.
std::unique_ptr<TrainingOp> MakeActivation(const TrainingOpSpec& spec);
std::unique_ptr<TrainingOp> MakeAddition(const TrainingOpSpec& spec);  // Sum, Binary add
std::unique_ptr<TrainingOp> MakeBatchNorm(const TrainingOpSpec& spec);
std::unique_ptr<TrainingOp> MakeConcatenation(const TrainingOpSpec& spec);
std::unique_ptr<TrainingOp> MakeOnednnConvolution(const TrainingOpSpec& spec);
std::unique_ptr<TrainingOp> MakeOnednnInnerProduct(const TrainingOpSpec& spec);  // Gemm, MatMul
std::unique_ptr<TrainingOp> MakeOnednnPooling(const TrainingOpSpec& spec);
std::unique_ptr<TrainingOp> MakeReshape(const TrainingOpSpec& spec);  // Reshape, Identity
std::unique_ptr<TrainingOp> MakeSpatialMean(
    const TrainingOpSpec& spec);  // GlobalAveragePool, ReduceMean

// Whether the operator can cut its result off in the same pass.
bool CanClamp(const Op& op);

}  // namespace fettle
