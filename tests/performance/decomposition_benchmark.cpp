// How long each decomposition takes on the shapes of ResNet-50's layers: from the weights alone,
// and fitted to the covariance of the layer's input, which is given. Prints a table in Markdown;
// asserts nothing. In brackets: of all processors together. The first argument, if any, keeps only
// the variants whose name begins with it.
//
// Weights are random with a spectrum that decays along both channel axes, the covariance is that of
// random vectors whose energy decays likewise; the ranks are the gentlest and the harshest offered.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/factor_variant.h"
#include "fettle/network/variants/variant_list.h"

namespace fettle {
namespace {

Matrix RandomMatrix(size_t rows, size_t columns, Random* random) {
  Matrix matrix(rows, columns);
  for (double& value : matrix.values()) value = random->Normal();
  return matrix;
}

// Of so many rows or columns, the last has a fiftieth of the first's energy.
double Decay(size_t place, size_t of) {
  return std::exp(-2.0 * static_cast<double>(place) / static_cast<double>(of));
}

struct LayerShape {
  int64_t inputs, outputs, kernel;
};

Graph NetworkOf(const LayerShape& shape, Random* random) {
  const auto outputs = static_cast<size_t>(shape.outputs),
             inputs = static_cast<size_t>(shape.inputs);
  const auto taps = static_cast<size_t>(shape.kernel * shape.kernel);
  Matrix core = RandomMatrix(outputs, inputs * taps, random);
  for (size_t t = 0; t < outputs; ++t) {
    for (size_t i = 0; i < inputs * taps; ++i) {
      core(t, i) *= Decay(t, outputs) * Decay(i / taps, inputs);
    }
  }
  const Matrix kernel = Product(RandomMatrix(outputs, outputs, random), core);
  Tensor weights({DType::kF32, {shape.outputs, shape.inputs, shape.kernel, shape.kernel}});
  for (size_t i = 0; i < kernel.values().size(); ++i) {
    weights.values<float>()[i] = static_cast<float>(kernel.values()[i]);
  }
  Graph graph;
  const int64_t pad = shape.kernel / 2;
  const Window window{{shape.kernel, shape.kernel}, {1, 1}, {1, 1}, {pad, pad}, {pad, pad}};
  const ValueId x = graph.AddInput("x", {DType::kF32, {1, shape.inputs, 14, 14}});
  graph.AddOutput(
      graph.AddNode("conv", Conv{window, 1}, {x, graph.AddConstant("w", std::move(weights))})[0]);
  return graph;
}

Moments MomentsOf(size_t size, Random* random) {
  const size_t vectors = size + size / 4;
  Matrix seen = RandomMatrix(vectors, size, random);
  for (size_t v = 0; v < vectors; ++v) {
    double last = 0;  // neighbours are correlated
    for (size_t i = 0; i < size; ++i) {
      last = seen(v, i) = Decay(i, size) * seen(v, i) + 0.5 * last;
    }
  }
  const Matrix covariance = TransposedProduct(seen, seen);
  Moments moments{static_cast<int64_t>(vectors), std::vector<double>(size), {}};
  moments.covariance.reserve(size * size);
  for (const double value : covariance.values()) {
    moments.covariance.push_back(value / static_cast<double>(vectors));
  }
  return moments;
}

// By the clock, and of all processors.
struct Seconds {
  double elapsed = 0, processor = 0;
};

template <typename Work>
Seconds SecondsOf(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t processor_start = std::clock();
  work();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return {elapsed.count(), static_cast<double>(std::clock() - processor_start) / CLOCKS_PER_SEC};
}

// Of factors for the layer; their error goes into `error`.
Seconds SecondsToFit(const FactorVariant& variant, const WeightedLayer& layer, const Matrix& kernel,
                     const Moments* input, double* error) {
  std::vector<Factor> factors;
  const Seconds seconds =
      SecondsOf([&] { factors = FittedFactors(variant, layer, kernel, input); });
  *error = RelativeError(kernel, ComposedKernel(factors), input);
  return seconds;
}

void Run(const LayerShape& shape, std::string_view prefix) {
  Random random(1);
  const Graph graph = NetworkOf(shape, &random);
  const WeightedLayer layer = FindWeightedLayer(graph, "conv");
  const Matrix kernel = KernelOf(graph, layer);
  const Moments moments = MomentsOf(static_cast<size_t>(layer.patch()), &random);
  for (const VariantKind& kind : AllVariantKinds()) {
    if (!kind.name.starts_with(prefix)) continue;
    std::vector<NetworkDecision> decisions;
    const Seconds finding =
        SecondsOf([&] { decisions = FindDecisions(std::span(&kind, 1), graph, {}); });
    std::vector<std::string> names;
    for (const NetworkDecision& decision : decisions) {
      if (decision.options.empty()) continue;
      names.push_back(decision.options.front().variant);
      if (decision.options.size() > 1) names.push_back(decision.options.back().variant);
    }
    for (const std::string& name : names) {
      const std::unique_ptr<Variant> variant = ParseVariant(name);
      const auto* rewriter = dynamic_cast<const FactorVariant*>(variant.get());
      if (rewriter == nullptr) continue;
      double plain_error = 0, error = 0;
      const Seconds plain = SecondsToFit(*rewriter, layer, kernel, nullptr, &plain_error);
      const Seconds fitted = SecondsToFit(*rewriter, layer, kernel, &moments, &error);
      std::printf(
          "| %ldx%ld %ld -> %ld | %s | %.2f (%.2f) | %.2f (%.2f) | %.2f (%.2f) | %.4f | "
          "%.4f |\n",
          shape.kernel, shape.kernel, shape.inputs, shape.outputs, name.c_str(), finding.elapsed,
          finding.processor, plain.elapsed, plain.processor, fitted.elapsed, fitted.processor,
          plain_error, error);
      std::fflush(stdout);
    }
  }
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  std::puts(
      "| layer | variant | finding all ranks, s | from weights, s | with covariance, s | error of "
      "weights | error of outputs |");
  std::puts("|---|---|---|---|---|---|---|");
  const fettle::LayerShape shapes[] = {{64, 64, 3},    {128, 128, 3},  {256, 256, 3},
                                       {512, 512, 3},  {64, 256, 1},   {256, 1024, 1},
                                       {512, 2048, 1}, {2048, 512, 1}, {2048, 1000, 1}};
  const long inputs = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 0;
  for (const fettle::LayerShape& shape : shapes) {
    if (inputs == 0 || shape.inputs == inputs) fettle::Run(shape, argc > 1 ? argv[1] : "");
  }
  return 0;
}
