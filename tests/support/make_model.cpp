// Writes a network of the model zoo to a file.

#include <charconv>
#include <cstring>
#include <iostream>
#include <string_view>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "tests/support/model_zoo.h"

namespace fettle {
namespace {

template <typename T>
T Number(std::string_view text, T least) {
  T number{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size() || number < least) {
    throw BadInput("'", text, "' is not a number from ", least, " up");
  }
  return number;
}

int Main(int argc, char** argv) {
  if (argc < 4 || argc > 6) {
    std::cerr << "usage: " << argv[0] << " NAME SEED OUT.onnx [BATCH|N [OPSET]]\nNAME is one of:\n";
    for (const std::string& name : ModelNames()) std::cerr << "  " << name << '\n';
    return static_cast<int>(ErrorKind::kUsage);
  }
  ModelOptions options;
  options.seed = Number<uint64_t>(argv[2], 0);
  if (argc > 4) {
    options.batch = std::strcmp(argv[4], "N") == 0 ? kDynamicBatch : Number<int64_t>(argv[4], 1);
  }
  if (argc > 5) options.opset = Number<int>(argv[5], 7);
  WriteFileAtomically(argv[3], MakeModel(argv[1], options));
  return 0;
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  try {
    return fettle::Main(argc, argv);
  } catch (const fettle::Error& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return static_cast<int>(error.kind());
  }
}
