#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/report.h"

namespace fettle {

int RunReport(std::span<const std::string> arguments, Console& console) {
  Options options("report SESSION --out FILE.html",
                  "Writes a session as one self-contained page: accuracy against latency, the "
                  "front, the choices for each layer.",
                  {"fettle report session --out report.html"});
  options.AddArgument("SESSION", "The folder that 'fettle tune' wrote.");
  options.AddValue("out", "FILE.html", "The page to write.");
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  if (!options.Has("out")) {
    throw Error(ErrorKind::kUsage, "--out is missing; see fettle report --help");
  }
  WriteFileAtomically(options.Get("out"), ReportHtml(Session::Read(options.Get("SESSION"))));
  return 0;
}

}  // namespace fettle
