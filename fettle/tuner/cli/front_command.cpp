#include <nlohmann/json.hpp>

#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/front_text.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/session.h"

namespace fettle {

int RunFront(std::span<const std::string> arguments, Console& console) {
  Options options("front SESSION",
                  "Prints the Pareto front of a tuning session, running or ended: the verified "
                  "configurations that no other beats in all objectives of the session.",
                  {"fettle front session", "fettle front session --json | jq '.points[0].id'"});
  options.AddArgument("SESSION", "The folder that 'fettle tune' wrote.");
  options.AddFlag("json", "Prints JSON.");
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  const Session session = Session::Read(options.Get("SESSION"));
  if (options.Has("json")) {
    console.out() << FrontJson(session).dump(1) << '\n';
  } else {
    console.out() << FrontText(session);
  }
  return 0;
}

}  // namespace fettle
