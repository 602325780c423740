#include "fettle/device/request_list.h"

namespace fettle {

std::vector<std::unique_ptr<RequestHandler>> AllRequests(const WorkerTools& tools) {
  std::vector<std::unique_ptr<RequestHandler>> all;
  all.push_back(MakeDescribeHandler(tools));
  all.push_back(MakeMeasureLayerHandler(tools));
  all.push_back(MakeMeasurePlansHandler(tools));
  all.push_back(MakeMeasureEnergyHandler(tools));
  return all;
}

}  // namespace fettle
