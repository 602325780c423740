#include "fettle/device/energy_measurer.h"
#include "fettle/device/plan_contender.h"
#include "fettle/device/request_list.h"

namespace fettle {
namespace {

class MeasureEnergyHandler : public RequestHandler {
 public:
  explicit MeasureEnergyHandler(const WorkerTools& tools) : tools_(tools) {}

  std::string_view Kind() const override { return kMeasureEnergyKind; }

  std::string Answer(const std::string& body, const Progress&) override {
    const EnergyRequest request = ParseEnergyRequest(body);
    const std::unique_ptr<EnergyMeter> meter = RequireEnergyMeter(tools_.environment);
    std::vector<std::unique_ptr<PlanContender>> contenders;
    std::vector<Contender*> pointers;
    for (const std::string& folder : request.folders) {
      contenders.push_back(
          LoadContender(folder, request.threads, tools_.primitives, request.data_seed));
      pointers.push_back(contenders.back().get());
    }
    EnergyMeasurer measurer(tools_.environment, *meter);
    return BodyOf(EnergyAnswer{measurer.Measure(pointers, request.options)});
  }

 private:
  WorkerTools tools_;
};

}  // namespace

std::unique_ptr<RequestHandler> MakeMeasureEnergyHandler(const WorkerTools& tools) {
  return std::make_unique<MeasureEnergyHandler>(tools);
}

}  // namespace fettle
