#pragma once

#include <string>

#include "fettle/device/worker_client.h"

namespace fettle {

// A worker on this machine: `program` is this program's file, run with the argument "worker".
WorkerCommand LocalWorker(const std::string& program);

// This program's own file, as the system knows it. Throws Error (kDevice) where it does not say.
std::string OwnProgram();

}  // namespace fettle
