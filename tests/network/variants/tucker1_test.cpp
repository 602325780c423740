#include "fettle/network/variants/tucker1.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/network/linalg/decompositions.h"
#include "tests/network/variants/factor_support.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Tucker1Test, FullRankReproducesTheLayer) {
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 6, 5);
    EXPECT_LT(WorstDifference(graph, Tucker1Variant(5).Rewrite(graph, "conv", {})), 1e-5);
  }
}

TEST(Tucker1Test, ErrorIsWhatTheEnergiesLeaveAndDoesNotRise) {
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 4, 7);
    const Matrix kernel = KernelOf(graph, FindWeightedLayer(graph, "conv"));
    const Moments input = RandomMoments(kernel.columns(), 500, 3);
    const std::vector<double> plain = ResponseBasisOf(kernel, nullptr).energies;
    const std::vector<double> responses = ResponseBasisOf(kernel, &input).energies;
    const auto left = [](const std::vector<double>& energies, int64_t rank) {
      double kept = 0, whole = 0;
      for (size_t k = 0; k < energies.size(); ++k) {
        whole += energies[k];
        if (static_cast<int64_t>(k) < rank) kept += energies[k];
      }
      return 1 - kept / whole;
    };
    for (int64_t rank = 1; rank <= 7; ++rank) {
      const Tucker1Variant variant(rank);
      EXPECT_NEAR(ErrorOf(variant, graph, nullptr), left(plain, rank), 1e-9);
      const double with_data = ErrorOf(variant, graph, &input);
      EXPECT_NEAR(with_data, left(responses, rank), 1e-9);
      EXPECT_LE(with_data, PlainErrorOf(variant, graph, input) + 1e-12);
    }
  }
}

TEST(Tucker1Test, IsRefusedWithAReason) {
  EXPECT_THAT(Refusals(Tucker1Variant(2), Tucker1Variant(9)),
              ElementsAre(HasSubstr("in groups"), HasSubstr("1x1: svd is for that"),
                          HasSubstr("no convolution"), HasSubstr("8 at most")));
}

}  // namespace
}  // namespace fettle
