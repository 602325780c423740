#include "tests/support/agreement.h"

#include <gtest/gtest.h>

#include <set>

#include "fettle/core/layer_check.h"
#include "fettle/runtime/precision.h"
#include "tests/agreement/layer_grid.h"
#include "tests/agreement/network_layers.h"
#include "tests/support/random_layer.h"
#include "tests/support/sanitized.h"

namespace fettle {
namespace {

// Ten shards of these: 2,000 random layers, and fewer (and a third of the others) where the
// sanitizers make each slow. The networks' layers are cut down to what the reference does in some
// milliseconds.
constexpr int kLayersAShard = kIsSanitized ? 40 : 200;
constexpr int64_t kMostCost = kIsSanitized ? 1'000'000 : 4'000'000;
constexpr double kShareOfGrids = kIsSanitized ? 0.35 : 1;
constexpr uint64_t kShards = 10;
constexpr size_t kNetworkShards = 4;

// The machine at hand with two threads, what it would be without its wider registers, and with
// caches so small that kernels work on them in their other ways.
std::vector<Target> Targets() {
  Target none;
  none.threads = 2;
  Target avx2 = HostTarget(1);
  avx2.has_avx512 = avx2.has_avx512_bf16 = avx2.has_avx512_vnni = false;
  Target small = HostTarget(2);
  small.l2_bytes = 16 << 10;
  return {HostTarget(2), avx2, none, small};
}

std::set<std::string> ExpectAgreement(const LayerSpec& spec, const PrimitiveList& list,
                                      const Target& target, uint64_t seed) {
  const Agreement agreement = CheckAgreement(spec, list, target, seed);
  for (const std::string& fault : agreement.faults) ADD_FAILURE() << fault;
  return {agreement.compared.begin(), agreement.compared.end()};
}

void ExpectAgreementOnAll(const std::vector<LayerSpec>& grid) {
  const PrimitiveList list = PrimitiveList::All();
  const std::vector<Target> targets = Targets();
  size_t number = 0;
  for (const LayerSpec& spec : grid) {
    // One target in turn and always the machine at hand: what is not there to be chosen from
    // differs in the body of its loops, not in what it takes.
    Random random(++number);  // nothing in step with the grids' own loops
    if (!random.Chance(kShareOfGrids)) continue;
    ExpectAgreement(spec, list, targets[0], number);
    const size_t turn = random.Below(targets.size());
    if (turn != 0) ExpectAgreement(spec, list, targets[turn], number);
  }
}

TEST(AgreementTest, Convolutions) { ExpectAgreementOnAll(ConvGrid()); }
TEST(AgreementTest, GroupedConvolutions) { ExpectAgreementOnAll(GroupedGrid()); }
TEST(AgreementTest, WinogradTiles) { ExpectAgreementOnAll(TileGrid()); }
TEST(AgreementTest, InvertedResiduals) { ExpectAgreementOnAll(BlockGrid()); }
TEST(AgreementTest, SparseConvolutions) { ExpectAgreementOnAll(SparseGrid()); }
TEST(AgreementTest, WideKernels) { ExpectAgreementOnAll(WideKernelGrid()); }
TEST(AgreementTest, MatrixProducts) { ExpectAgreementOnAll(MatrixGrid()); }
TEST(AgreementTest, PoolingAndResizing) { ExpectAgreementOnAll(PoolingGrid()); }
TEST(AgreementTest, ElementwiseOperators) { ExpectAgreementOnAll(ElementwiseGrid()); }
TEST(AgreementTest, MovesAndReorders) { ExpectAgreementOnAll(MovingGrid()); }
TEST(AgreementTest, LayersOfSeveralThreads) { ExpectAgreementOnAll(ParallelGrid()); }

class RandomAgreementTest : public testing::TestWithParam<uint64_t> {};

TEST_P(RandomAgreementTest, HoldsOnRandomLayers) {
  const PrimitiveList list = PrimitiveList::All();
  const std::vector<Target> targets = Targets();
  const Random shard = Random(20240607).Fork(GetParam());
  for (uint64_t i = 0; i < kLayersAShard; ++i) {
    Random random = shard.Fork(i);
    const LayerSpec spec = RandomLayerSpec(&random);
    ExpectAgreement(spec, list, targets[i % targets.size()], random.Next());
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, RandomAgreementTest, testing::Range<uint64_t>(0, kShards));

class NetworkAgreementTest : public testing::TestWithParam<size_t> {};

// What the networks of the literature are made of: every distinct layer of all of them, in f32 and
// in bf16. Large ones are shortened (network_layers.h): as they are, the reference alone would take
// minutes over them.
TEST_P(NetworkAgreementTest, HoldsOnEveryLayerOfTheGeneratedNetworks) {
  const PrimitiveList list = PrimitiveList::All();
  const Target target = HostTarget(2);
  const std::vector<LayerSpec> layers = NetworkLayers();
  ASSERT_GT(layers.size(), 400u);
  for (size_t i = GetParam(); i < layers.size(); i += kNetworkShards) {
    if (!Random(i).Chance(kShareOfGrids)) continue;
    const LayerSpec layer = Shortened(layers[i], kMostCost);
    ASSERT_EQ(FaultOf(layer), std::nullopt) << KeyOf(layers[i]).text;
    for (const DType precision : {DType::kF32, DType::kBF16}) {
      if (!CanHavePrecision(layer, precision)) continue;
      ExpectAgreement(AtPrecision(layer, precision), list, target, i);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, NetworkAgreementTest, testing::Range<size_t>(0, kNetworkShards));

// Cutting changes extents and nothing else.
TEST(ShortenedTest, KeepsAllButTheExtents) {
  const LayerSpec spec = *ParseLayerSpec(
      "conv(kernel=3x3,strides=2x2,dilations=1x1,pads_begin=1x1,pads_end=0x0,groups=2) "
      "in=f32[1x64x57x112],f32[1x32x28x56] weights=f32[32x32x3x3],f32[32] out=f32[1x32x28x56] "
      "residual=1");
  const LayerSpec cut = Shortened(spec, 200'000);
  EXPECT_EQ(FaultOf(cut), std::nullopt);
  EXPECT_EQ(cut.op, spec.op);
  EXPECT_EQ(cut.weights, spec.weights);
  EXPECT_EQ(cut.inputs[0].shape, (Shape{1, 64, 7, 8}));
  EXPECT_EQ(cut.inputs[1], cut.output);
  EXPECT_EQ(Shortened(spec, MacsOf(spec) * 100), spec);
}

// That the tests above speak of every primitive there is, on a machine that has all it may need.
TEST(AgreementTest, EveryPrimitiveIsCompared) {
  const Target target = HostTarget(1);
  if (!target.has_avx512_bf16) GTEST_SKIP() << "some primitives may need more than this CPU has";
  const PrimitiveList list = PrimitiveList::All();
  std::set<std::string_view> silent;
  for (const auto& primitive : list.primitives()) silent.insert(primitive->Name());
  for (const auto& grid : {ConvGrid(), GroupedGrid(), SparseGrid(), WideKernelGrid(), BlockGrid(),
                           MatrixGrid(), PoolingGrid(), ElementwiseGrid(), MovingGrid()}) {
    for (const LayerSpec& spec : grid) {
      for (const auto& primitive : list.primitives()) {
        if (silent.count(primitive->Name()) == 0 || !primitive->Supports(spec, target)) continue;
        if (!primitive->Implementations(spec, target).empty()) silent.erase(primitive->Name());
      }
    }
  }
  for (std::string_view name : silent) ADD_FAILURE() << "no layer of the grids is for " << name;
}

// The generator is itself worth a look: every operator that lowering leaves, epilogues, both types.
TEST(RandomLayerTest, DrawsEveryOperator) {
  Random random(7);
  std::set<std::string> drawn;
  for (int i = 0; i < 2000; ++i) {
    const LayerSpec spec = RandomLayerSpec(&random);
    drawn.insert(std::string(NameOf(spec.op)));
    if (spec.adds_residual) drawn.insert("a residual");
    if (spec.activation) drawn.insert("an epilogue");
    if (spec.output.dtype == DType::kBF16) drawn.insert("bf16");
    EXPECT_TRUE(ParseLayerSpec(KeyOf(spec).text)) << KeyOf(spec).text;
  }
  // All 25 alternatives of Op but split.
  EXPECT_EQ(drawn.size(), 24u + 3u);
}

}  // namespace
}  // namespace fettle
