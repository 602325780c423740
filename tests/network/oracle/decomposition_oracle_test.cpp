// Decompositions judged from outside, by NumPy: decomposition_oracle.py says how.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/npy.h"
#include "fettle/core/random.h"
#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/linalg/evbmf.h"
#include "fettle/network/variants/cp.h"
#include "fettle/network/variants/spatial_svd.h"
#include "fettle/network/variants/svd.h"
#include "fettle/network/variants/tucker1.h"
#include "fettle/network/variants/tucker2.h"
#include "tests/network/variants/factor_support.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

// Debian's, for which its python3-numpy is.
constexpr const char* kPython = "/usr/bin/python3";

// A folder of cases, removed with it.
class Cases {
 public:
  Cases() : folder_(fs::path(testing::TempDir()) / Text("fettle-oracle-", getpid())) {
    fs::create_directories(folder_);
    list_.open(folder_ / "cases.txt");
    list_.precision(17);
  }
  ~Cases() { fs::remove_all(folder_); }
  Cases(const Cases&) = delete;
  Cases& operator=(const Cases&) = delete;

  void Add(const FactorVariant& variant, const std::string& kind, const std::vector<int64_t>& ranks,
           const WeightedLayer& layer, const Matrix& kernel, const Moments* input) {
    const Matrix got = ComposedKernel(FittedFactors(variant, layer, kernel, input));
    const Shape shape = {layer.outputs, layer.inputs, layer.kernel_height(), layer.kernel_width()};
    const std::string name = Begin(kind, ranks);
    list_ << " " << RelativeError(kernel, got, input) << "\n";
    Write(name + ".kernel", kernel, shape);
    Write(name + ".got", got, shape);
    if (input != nullptr) {
      const auto n = static_cast<int64_t>(input->size());
      Write(name + ".covariance", Matrix(input->size(), input->size(), input->covariance), {n, n});
    }
  }

  void AddRank(const Matrix& matrix) {
    const size_t rank = EvbmfRank(SpectrumOf(matrix), matrix.rows(), matrix.columns());
    const std::string name = Begin("evbmf", {static_cast<int64_t>(rank)});
    list_ << " 0\n";
    Write(name + ".kernel", matrix,
          {static_cast<int64_t>(matrix.rows()), static_cast<int64_t>(matrix.columns())});
  }

  // What the oracle says; its exit code.
  int Judge(std::string* report) {
    list_.close();
    const fs::path output = folder_ / "report.txt";
    const std::string command = Text("OMP_NUM_THREADS=1 ", kPython, " ", FETTLE_ORACLE, " ",
                                     folder_.string(), " >", output.string(), " 2>&1");
    const int status = std::system(command.c_str());  // NOLINT(cert-env33-c): a fixed program
    std::stringstream text;
    text << std::ifstream(output).rdbuf();
    *report = text.str();
    return status;
  }

 private:
  std::string Begin(const std::string& kind, const std::vector<int64_t>& ranks) {
    const std::string name = Text("case", ++count_);
    list_ << name << " " << kind;
    for (const int64_t rank : ranks) list_ << " " << rank;
    return name;
  }

  void Write(const std::string& name, const Matrix& matrix, const Shape& shape) {
    Tensor tensor({DType::kF64, shape});
    std::ranges::copy(matrix.values(), tensor.values<double>().begin());
    WriteNpy(folder_ / (name + ".npy"), tensor);
  }

  fs::path folder_;
  std::ofstream list_;
  int count_ = 0;
};

// A kernel whose energy falls off along inputs and outputs, as those of trained layers do.
Matrix DecayingKernel(const WeightedLayer& layer, uint64_t seed) {
  const auto outputs = static_cast<size_t>(layer.outputs);
  const auto inputs = static_cast<size_t>(layer.inputs), taps = static_cast<size_t>(layer.taps());
  Matrix core = RandomMatrix(outputs, inputs * taps, seed);
  for (size_t t = 0; t < outputs; ++t) {
    for (size_t i = 0; i < inputs * taps; ++i) {
      core(t, i) *= std::exp(-0.25 * static_cast<double>(t + i / taps));
    }
  }
  const Matrix rotated = Product(RandomMatrix(outputs, outputs, seed + 1), core);
  const Matrix mix = RandomMatrix(inputs, inputs, seed + 2);
  Matrix kernel(outputs, inputs * taps);
  for (size_t t = 0; t < outputs; ++t) {
    for (size_t s = 0; s < inputs; ++s) {
      for (size_t r = 0; r < inputs; ++r) {
        for (size_t k = 0; k < taps; ++k) {
          kernel(t, s * taps + k) += mix(s, r) * rotated(t, r * taps + k);
        }
      }
    }
  }
  return kernel;
}

TEST(DecompositionOracleTest, NumPyAgrees) {
  // NOLINTNEXTLINE(cert-env33-c): a fixed program
  if (std::system(Text(kPython, " -c 'import numpy' >/dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << "Debian's python3-numpy is not installed; tools/install_packages does that";
  }
  Cases cases;
  uint64_t seed = 1;
  const std::vector<Window> all = SpatialWindows();
  const std::vector<Window> windows = {
      all[0], all[2], all[3], all[4], {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}};
  for (const Window& window : windows) {
    const Graph graph = ConvNetwork(window, 12, 10);
    const WeightedLayer layer = FindWeightedLayer(graph, "conv");
    const Moments input = RandomMoments(static_cast<size_t>(layer.patch()), 1000, seed);
    const Matrix kernels[] = {KernelOf(graph, layer), DecayingKernel(layer, ++seed)};
    for (const Matrix& kernel : kernels) {
      for (const Moments* moments : {static_cast<const Moments*>(nullptr), &input}) {
        for (const int64_t rank : {1, 4, 7}) {
          const auto add = [&](const FactorVariant& variant, const char* kind,
                               const std::vector<int64_t>& ranks) {
            cases.Add(variant, kind, ranks, layer, kernel, moments);
          };
          if (layer.taps() == 1) {
            add(SvdVariant(rank), "svd", {rank});
            continue;
          }
          add(SpatialSvdVariant(rank), "spatial_svd", {rank});
          add(Tucker1Variant(rank), "tucker1", {rank});
          add(Tucker2Variant(rank + 2, rank), "tucker2", {rank + 2, rank});
          if (rank != 7) add(CpVariant(rank), "cp", {rank});
        }
      }
    }
  }
  for (const size_t rank : {0u, 2u, 6u, 15u}) {
    for (const double noise : {0.05, 0.5, 1.5}) {
      Matrix matrix = RandomMatrix(24, 60, ++seed);
      for (double& value : matrix.values()) value *= noise;
      if (rank > 0) {
        const Matrix signal =
            Product(RandomMatrix(24, rank, seed + 100), RandomMatrix(rank, 60, seed + 200));
        for (size_t i = 0; i < signal.values().size(); ++i) {
          matrix.values()[i] += signal.values()[i];
        }
      }
      cases.AddRank(matrix);
      cases.AddRank(matrix.Transposed());
    }
  }
  std::string report;
  EXPECT_EQ(cases.Judge(&report), 0) << report;
}

}  // namespace
}  // namespace fettle
