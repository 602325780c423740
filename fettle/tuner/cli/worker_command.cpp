#include <unistd.h>

#include "fettle/core/error.h"
#include "fettle/device/host_environment.h"
#include "fettle/device/request_list.h"
#include "fettle/device/worker.h"
#include "fettle/primitives/library_versions.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/options.h"

namespace fettle {

int RunWorker(std::span<const std::string> arguments, Console& console) {
  Options options("worker",
                  "Serves measuring requests on standard input, a socket: what the other commands "
                  "start to measure in a process of its own (docs/worker_protocol.md).",
                  {"fettle tune model.onnx --data fashion-mnist   # starts workers by itself"});
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  HostEnvironment environment;
  const PrimitiveList primitives = PrimitiveList::All();
  const WorkerTools tools{environment, primitives, LibraryVersions()};
  MessageChannel peer(dup(STDIN_FILENO));
  ServeRequests(peer, AllRequests(tools), Text("fettle ", FETTLE_VERSION));
  return 0;
}

}  // namespace fettle
