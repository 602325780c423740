#include "fettle/tuner/plan_bench.h"

#include <gtest/gtest.h>

#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/tuner/local_worker.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;

// A batch that takes several times its budget, so that a median has no interval.
TEST(PlanBenchTest, ASlowNetworkIsGivenTheTimeItNeeds) {
  const ScratchFolder scratch;
  ImportOptions import;
  import.batch = 16;
  const LayerGraph graph = Lower(ImportOnnx(FETTLE_MODELS "/resnet20.onnx", import));
  WritePlan(scratch.path(), DefaultPlan(graph, DType::kF32, PrimitiveList::All(), HostTarget(1)));
  PlansRequest request;
  request.folders = {scratch.path().string()};
  request.options.contender_budget = milliseconds(1);
  request.options.warm_up_budget = milliseconds(1);
  WorkerClient worker(LocalWorker(FETTLE_PROGRAM));
  const PlansAnswer hasty = worker.MeasurePlans(request, std::chrono::minutes(5));
  ASSERT_FALSE(hasty.plans.at(0).timing.measurement.has_latency());
  const PlansAnswer patient = MeasurePlans(&worker, request);
  EXPECT_TRUE(patient.plans.at(0).timing.measurement.has_latency());
}

}  // namespace
}  // namespace fettle
