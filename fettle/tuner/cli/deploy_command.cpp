#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/deployment.h"
#include "fettle/tuner/session.h"

namespace fettle {

int RunDeploy(std::span<const std::string> arguments, Console& console) {
  Options options("deploy SESSION --pick ID|fastest|knee|CONSTRAINT --out DIR",
                  "Writes one configuration of a session's front: model.onnx for any runtime, "
                  "plan.json with its weights for Fettle's own, and manifest.json with what was "
                  "measured. A constraint takes the best point that satisfies it: of "
                  "'accuracy>=0.93' the fastest, of 'latency<=0.5ms' the most accurate. Accuracies "
                  "are those of the validation split.",
                  {"fettle deploy session --pick knee --out deployed",
                   "fettle deploy session --pick 'accuracy>=0.93' --out deployed"});
  options.AddArgument("SESSION", "The folder that 'fettle tune' wrote.");
  options.AddValue("pick", "WHICH", "A point's id, fastest, knee, or a constraint.");
  options.AddValue("out", "DIR", "The folder to write; it must not exist or be empty.");
  options.AddFlag("json", "Prints the manifest.");
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  for (const char* required : {"pick", "out"}) {
    if (!options.Has(required)) {
      throw Error(ErrorKind::kUsage, Text("--", required, " is missing; see fettle deploy --help"));
    }
  }
  const Session session = Session::Read(options.Get("SESSION"));
  const VerifiedPoint point = PickPoint(session, options.Get("pick"));
  const std::string manifest = Deploy(session, point, options.Get("out"));
  if (options.Has("json")) {
    console.out() << manifest;
  } else {
    console.out() << options.Get("out") << ": " << point.id << ", "
                  << FixedText(point.latency_ms.value, 3) << " ms, accuracy "
                  << FixedText(100 * point.accuracy.value, 2) << " % (validation)\n";
  }
  return 0;
}

}  // namespace fettle
