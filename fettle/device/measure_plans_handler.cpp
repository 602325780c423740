#include <algorithm>
#include <exception>
#include <memory>
#include <new>

#include "fettle/device/cache_sweep.h"
#include "fettle/device/measurer.h"
#include "fettle/device/peak_memory.h"
#include "fettle/device/plan_contender.h"
#include "fettle/device/reference_work.h"
#include "fettle/device/request_list.h"

namespace fettle {
namespace {

class MeasurePlansHandler : public RequestHandler {
 public:
  explicit MeasurePlansHandler(const WorkerTools& tools)
      : tools_(tools),
        sweep_(HostCacheSweep(tools.environment)),
        measurer_(tools.environment, work_, sweep_) {}

  std::string_view Kind() const override { return kMeasurePlansKind; }

  std::string Answer(const std::string& body, const Progress& progress) override {
    const PlansRequest request = ParsePlansRequest(body);
    PlansAnswer answer;
    std::vector<Entrant> entrants;
    for (size_t plan = 0; plan < request.folders.size(); ++plan) {
      answer.plans.emplace_back();
      progress(BodyOf(PlanProgress{BenchStage::kPreparing, plan}));
      Guarded(request, &answer.plans[plan], [&](PlanTiming* timing) {
        entrants.push_back({plan, Load(request.folders[plan], request, timing)});
      });
    }
    std::vector<Contender*> pointers;
    for (const Entrant& entrant : entrants) pointers.push_back(entrant.contender.get());
    const std::vector<Timing> timings =
        measurer_.Measure(pointers, request.options, [&](size_t index) {
          progress(BodyOf(PlanProgress{BenchStage::kMeasuring, entrants[index].plan}));
        });
    for (size_t i = 0; i < timings.size(); ++i) {
      PlanTiming& plan = answer.plans[entrants[i].plan];
      plan.timing = timings[i];
      if (!request.wants_steps || !timings[i].measurement.has_latency()) continue;
      Guarded(request, &plan, [&](PlanTiming* timing) {
        timing->steps = entrants[i].contender->TimeSteps(tools_.environment);
      });
    }
    return BodyOf(answer);
  }

 private:
  // A plan that could be loaded, by its number in the request.
  struct Entrant {
    size_t plan;
    std::unique_ptr<PlanContender> contender;
  };

  // What a plan throws is its own failure; the others go on.
  template <typename Work>
  static void Guarded(const PlansRequest& request, PlanTiming* timing, const Work& work) {
    const auto fail = [&](const char* why) {
      *timing = {};
      timing->timing.measurement.status = MeasurementStatus::kFailed;
      timing->timing.measurement.mode = request.options.mode;
      timing->timing.measurement.detail = why;
    };
    try {
      work(timing);
    } catch (const std::bad_alloc&) {
      fail("out of memory");
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }

  std::unique_ptr<PlanContender> Load(const std::string& folder, const PlansRequest& request,
                                      PlanTiming* timing) {
    Environment& environment = tools_.environment;
    ReturnFreedMemory();  // else the plan would be given what an earlier one left
    const bool forgets = ForgetPeak(environment);
    const std::optional<int64_t> before = OwnBytes(environment);
    auto contender = LoadContender(folder, request.threads, tools_.primitives, request.data_seed);
    contender->Run();
    const std::optional<int64_t> loading = PeakOwnBytes(environment);
    ReturnFreedMemory();
    ForgetPeak(environment);
    contender->Run();
    const std::optional<int64_t> running = PeakOwnBytes(environment);
    const MemoryUse use = contender->executor().memory();
    timing->arena_bytes = use.arena;
    timing->input_output_bytes = use.inputs_outputs;
    timing->weight_bytes = use.weights;
    if (forgets && before && loading) timing->loading_bytes = *loading - *before;
    if (forgets && before && running) timing->measured_bytes = *running - *before;
    return contender;
  }

  WorkerTools tools_;
  ReferenceWork work_;
  CacheSweep sweep_;
  Measurer measurer_;
};

}  // namespace

std::unique_ptr<RequestHandler> MakeMeasurePlansHandler(const WorkerTools& tools) {
  return std::make_unique<MeasurePlansHandler>(tools);
}

}  // namespace fettle
