#pragma once

#include <span>
#include <string>

#include "fettle/tuner/cli/console.h"

namespace fettle {

// One subcommand each, in the file of its name; command_list.cpp names them all.
int RunBench(std::span<const std::string> arguments, Console& console);
int RunDeploy(std::span<const std::string> arguments, Console& console);
int RunEvaluate(std::span<const std::string> arguments, Console& console);
int RunFront(std::span<const std::string> arguments, Console& console);
int RunInspect(std::span<const std::string> arguments, Console& console);
int RunQuery(std::span<const std::string> arguments, Console& console);
int RunReport(std::span<const std::string> arguments, Console& console);
int RunRewrite(std::span<const std::string> arguments, Console& console);
int RunRun(std::span<const std::string> arguments, Console& console);
int RunTrain(std::span<const std::string> arguments, Console& console);
int RunTune(std::span<const std::string> arguments, Console& console);
int RunWorker(std::span<const std::string> arguments, Console& console);

}  // namespace fettle
