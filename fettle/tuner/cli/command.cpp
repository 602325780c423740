#include "fettle/tuner/cli/command.h"

#include <algorithm>
#include <exception>
#include <iomanip>
#include <new>

#include "fettle/core/error.h"
#include "fettle/tuner/cli/commands.h"

namespace fettle {
namespace {

void PrintHelp(std::ostream& out) {
  out << "usage: fettle COMMAND ...\n\n"
         "Fits trained networks to a device: searches structure, precision and primitives against\n"
         "measured latency and accuracy, and writes models that can be deployed.\n\ncommands:\n";
  for (const Command& command : Commands()) {
    out << "  " << std::left << std::setw(10) << command.name << command.summary << '\n';
  }
  out << "\n'fettle COMMAND --help' explains each, with examples.\n";
}

int Fail(Console& console, const Error& error) {
  console.Note(Text("fettle: ", error.what()));
  return static_cast<int>(error.kind());
}

}  // namespace

int RunCommandLine(std::span<const std::string> arguments, Console& console) {
  try {
    if (arguments.empty()) {
      PrintHelp(console.out());
      return static_cast<int>(ErrorKind::kUsage);
    }
    const std::string& name = arguments[0];
    if (name == "--help" || name == "-h" || name == "help") {
      PrintHelp(console.out());
      return 0;
    }
    if (name == "--version") {
      console.out() << "fettle " FETTLE_VERSION "\n";
      return 0;
    }
    for (const Command& command : Commands()) {
      if (command.name != name) continue;
      const int code = command.run(arguments.subspan(1), console);
      if (console.out().flush()) return code;
      throw Error(ErrorKind::kBadInput, "the output cannot be written: is the disk full?");
    }
    throw Error(ErrorKind::kUsage, Text("there is no command '", name, "'; see fettle --help"));
  } catch (const Error& error) {
    return Fail(console, error);
  } catch (const std::bad_alloc&) {
    return Fail(console, Error(ErrorKind::kBadInput, "out of memory; use a smaller --batch"));
  } catch (const std::exception& error) {
    return Fail(console, Error(ErrorKind::kInternal, Text("internal fault: ", error.what())));
  }
}

}  // namespace fettle
