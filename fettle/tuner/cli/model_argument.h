#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// Whether MODEL.onnx|DIR is a deployed folder: it has a plan.json. Throws Error (kBadInput) where
// there is nothing of that name.
bool IsDeployedFolder(const std::filesystem::path& model);

// The plan of a deployed folder as it is; or of an ONNX model at this batch with the default
// primitives, for so many threads.
Plan LoadPlan(const std::filesystem::path& model, int64_t batch, int threads,
              const PrimitiveList& primitives);

}  // namespace fettle
