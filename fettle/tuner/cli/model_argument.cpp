#include "fettle/tuner/cli/model_argument.h"

#include "fettle/core/error.h"
#include "fettle/deploy/default_plan.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/plan_builder.h"
#include "fettle/runtime/plan_file.h"

namespace fettle {

bool IsDeployedFolder(const std::filesystem::path& model) {
  if (!std::filesystem::exists(model)) {
    throw BadInput(model.string(), ": no such file or folder");
  }
  if (!std::filesystem::is_directory(model)) return false;
  if (!std::filesystem::exists(model / "plan.json")) {
    throw BadInput(model.string(),
                   ": a folder without plan.json; give a model (.onnx) or a folder "
                   "that 'fettle deploy' wrote");
  }
  return true;
}

Plan LoadPlan(const std::filesystem::path& model, int64_t batch, int threads,
              const PrimitiveList& primitives) {
  if (IsDeployedFolder(model)) return ReadPlan(model);
  ImportOptions options;
  options.batch = batch;
  return DefaultPlan(ImportOnnx(model, options), DType::kF32, primitives, HostTarget(threads));
}

}  // namespace fettle
