#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fettle/device/environment.h"
#include "fettle/device/request_handler.h"
#include "fettle/primitives/primitive_list.h"

namespace fettle {

// What a worker has to answer with. All outlive the handlers.
struct WorkerTools {
  Environment& environment;
  const PrimitiveList& primitives;
  std::map<std::string, std::string> libraries;  // their versions, for the fingerprint
};

// Everything a worker can be asked, in a fixed order; hello and quit are the loop's own.
std::vector<std::unique_ptr<RequestHandler>> AllRequests(const WorkerTools& tools);

// One maker a request, for the list alone.
std::unique_ptr<RequestHandler> MakeDescribeHandler(const WorkerTools& tools);
std::unique_ptr<RequestHandler> MakeMeasureLayerHandler(const WorkerTools& tools);
std::unique_ptr<RequestHandler> MakeMeasurePlansHandler(const WorkerTools& tools);
std::unique_ptr<RequestHandler> MakeMeasureEnergyHandler(const WorkerTools& tools);

}  // namespace fettle
