#include "fettle/tuner/candidate_layers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/tuner/variant_screen.h"
#include "tests/network/random_network.h"

namespace fettle {
namespace {

TuningSpaceOptions WithAllVariants(const Graph& graph, int64_t channel_step) {
  TuningSpaceOptions options;
  options.channel_step = channel_step;
  VariantScreenOptions screen;
  screen.channel_step = channel_step;
  for (const VariantKind& kind : AllVariantKinds()) {
    if (kind.name != "prune" && kind.name != "cp") screen.kinds.emplace_back(kind.name);
  }
  options.variants = ScreenVariants(graph, HostTarget(1), screen);
  return options;
}

// Layers with what they read and write, by the tensors' names.
std::vector<std::string> Described(const LayerGraph& graph) {
  const auto text = [&](TensorId id) {
    const LayerTensor& tensor = graph.tensors[static_cast<size_t>(id)];
    return Text(" ", tensor.name, ":", TypeText(tensor.type));
  };
  std::vector<std::string> lines;
  for (const Layer& layer : graph.layers) {
    std::string line = Text(layer.name, " ", KeyOf(layer.spec).text);
    for (const TensorId id : layer.inputs) line += text(id);
    lines.push_back(line + " ->" + text(layer.output));
  }
  for (const TensorId id : graph.inputs) lines.push_back("in" + text(id));
  for (const TensorId id : graph.outputs) lines.push_back("out" + text(id));
  return lines;
}

// Mostly near one another, as a search's are.
Candidate Neighbour(const Candidate& candidate, const DesignSpace& space, Random* random) {
  Candidate next = candidate;
  const Candidate other = space.Sample(random);
  for (size_t i = 0; i < next.options.size(); ++i) {
    if (random->Chance(0.2)) next.options[i] = random->Chance(0.3) ? 0 : other.options[i];
  }
  return space.Repair(&next) ? next : space.Original();
}

// `most`: how many of so many may be lowered as a whole.
void ExpectTheSameAsLowering(const TuningSpace& space, int candidates, int most) {
  CandidateLayers layers(space);
  Random random(7);
  Candidate candidate = space.space().Original();
  for (int i = 0; i < candidates; ++i) {
    SCOPED_TRACE(CandidateText(candidate));
    const LayerGraph whole = Lower(space.Shapes(candidate), {.shapes_only = true});
    EXPECT_EQ(Described(layers.Of(candidate)), Described(whole));
    candidate = Neighbour(candidate, space.space(), &random);
  }
  EXPECT_LE(layers.num_lowered(), most);
}

TEST(CandidateLayersTest, AreThoseOfLoweringAResNet) {
  const Graph graph = MakeArchitecture("resnet20", {3, 32, 32}, 10, 1);
  ExpectTheSameAsLowering(TuningSpace(graph, {}), 400, 200);
}

TEST(CandidateLayersTest, AreThoseOfLoweringRewrittenLayersAndDroppedBlocks) {
  const Graph graph = MakeArchitecture("resnet20", {3, 32, 32}, 10, 1);
  ExpectTheSameAsLowering(TuningSpace(graph, WithAllVariants(graph, 8)), 400, 350);
}

TEST(CandidateLayersTest, AreThoseOfLoweringRandomNetworks) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    SCOPED_TRACE(seed);
    const Graph graph = RandomNetwork(seed);
    ExpectTheSameAsLowering(TuningSpace(graph, WithAllVariants(graph, 2)), 40, 1000);
  }
}

}  // namespace
}  // namespace fettle
