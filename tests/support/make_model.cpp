// Writes a network of the model zoo to a file.

#include <charconv>
#include <iostream>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "tests/support/model_zoo.h"
#include "tests/support/sparse_model.h"

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

double Share(std::string_view text) {
  const auto share = Number<double>(text, 0);
  if (share > 1) throw BadInput("'", text, "' is not a share from 0 to 1");
  return share;
}

int Main(std::string_view program, std::vector<std::string_view> arguments) {
  ZeroOptions zeros{.dense_first = false};
  std::vector<std::string_view> words;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--dense-first") {
      zeros.dense_first = true;
    } else if (arguments[i] == "--sparsity" && i + 1 < arguments.size()) {
      zeros.sparsity = Share(arguments[++i]);
    } else {
      words.push_back(arguments[i]);
    }
  }
  if (words.size() < 3 || words.size() > 5) {
    std::cerr << "usage: " << program
              << " NAME SEED OUT.onnx [BATCH|N [OPSET]] [--sparsity SHARE [--dense-first]]\n"
                 "SHARE of each convolution's weights (but the first's) become zero.\n"
                 "NAME is one of:\n";
    for (const std::string& name : ModelNames()) std::cerr << "  " << name << '\n';
    return static_cast<int>(ErrorKind::kUsage);
  }
  ModelOptions options;
  options.seed = zeros.seed = Number<uint64_t>(words[1], 0);
  if (words.size() > 3)
    options.batch = words[3] == "N" ? kDynamicBatch : Number<int64_t>(words[3], 1);
  if (words.size() > 4) options.opset = Number<int>(words[4], 7);
  std::string model = MakeModel(words[0], options);
  if (zeros.sparsity > 0) model = WithZeros(model, zeros);
  WriteFileAtomically(std::string(words[2]), model);
  return 0;
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  try {
    return fettle::Main(argv[0], {argv + 1, argv + argc});
  } catch (const fettle::Error& error) {
    std::cerr << argv[0] << ": " << error.what() << '\n';
    return static_cast<int>(error.kind());
  }
}
