#include "fettle/tuner/local_worker.h"

#include <filesystem>

#include "fettle/core/error.h"

namespace fettle {

WorkerCommand LocalWorker(const std::string& program) {
  WorkerCommand command;
  command.argv = {program, "worker"};
  return command;
}

std::string OwnProgram() {
  std::error_code fault;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", fault);
  if (fault) {
    throw Error(ErrorKind::kDevice,
                Text("cannot find this program's own file (", fault.message(), ")"));
  }
  return program.string();
}

}  // namespace fettle
