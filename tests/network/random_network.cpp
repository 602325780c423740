#include "tests/network/random_network.h"

#include <algorithm>
#include <string>
#include <utility>

#include "fettle/core/error.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

class RandomBlocks {
 public:
  RandomBlocks(uint64_t seed, bool is_pointwise) : b_(seed), is_pointwise_(is_pointwise) {}

  Graph Build() {
    ValueId x = b_.Input({b_.random().Integer(1, 2), b_.random().Integer(2, 3), 6, 6});
    x = Conv(x, Width());
    const int64_t blocks = b_.random().Integer(1, 4);
    for (int64_t i = 0; i < blocks; ++i) x = Block(x);
    Head(x);
    return std::move(b_.graph);
  }

 private:
  std::string Name(const std::string& what) { return Text("n", counter_++, "_", what); }
  int64_t Width() { return 4 * b_.random().Integer(1, 3); }
  int64_t Channels(ValueId x) const { return b_.Channels(x); }

  // Any function with f(0) = 0.
  ValueId Act(ValueId x) {
    const Activation kinds[] = {{ActivationKind::kRelu, 0, 0},
                                {ActivationKind::kClip, 0, 6},
                                {ActivationKind::kLeakyRelu, 0.1f, 0},
                                {ActivationKind::kHardSwish, 0, 0},
                                {ActivationKind::kTanh, 0, 0}};
    return b_.Add(Name("act"), kinds[b_.random().Below(std::size(kinds))], {x});
  }
  ValueId Norm(ValueId x) { return b_.Normalise(Name("bn"), x); }
  ValueId Conv(ValueId x, int64_t channels, int64_t groups = 1, bool is_small = false) {
    NetworkBuilder::ConvOptions options;
    options.kernel = is_pointwise_ || is_small ? 1 : 1 + 2 * b_.random().Integer(0, 1);
    options.groups = groups;
    options.has_bias = b_.random().Chance(0.3);
    return b_.Convolve(Name("conv"), x, channels, options);
  }
  ValueId Full(ValueId x, int64_t channels, int64_t groups = 1) {
    return Act(Norm(Conv(x, channels, groups)));
  }
  ValueId Plus(ValueId x, ValueId y) {
    if (b_.random().Chance(0.5)) return b_.Add(Name("sum"), Sum{}, {x, y});
    return b_.Add(Name("add"), Binary{}, {x, y});
  }
  ValueId Join(std::vector<ValueId> parts) {
    return b_.Add(Name("concat"), Concat{1}, std::move(parts));
  }
  std::pair<ValueId, ValueId> Halves(ValueId x) {
    const Shape shape = b_.ShapeOf(x);
    const int64_t first = shape[1] / 2;
    if (b_.random().Chance(0.5)) {
      const auto parts = b_.graph.AddNode(Name("split"), Split{1, {first, shape[1] - first}}, {x});
      return {parts[0], parts[1]};
    }
    Shape starts(4, 0), ends = shape;
    starts[1] = ends[1] = first;
    return {b_.Add(Name("low"), Slice{Shape(4, 0), ends, Shape(4, 1)}, {x}),
            b_.Add(Name("high"), Slice{starts, shape, Shape(4, 1)}, {x})};
  }

  ValueId Block(ValueId x) {
    const int64_t c = Channels(x);
    switch (b_.random().Below(is_pointwise_ ? 13 : 16)) {
      case 0:
        return Full(x, Width());
      case 1:  // residual
        return Act(Plus(x, Norm(Conv(Full(x, Width()), c))));
      case 2: {  // with a projection
        const int64_t width = Width();
        return Act(Plus(Norm(Conv(x, width)), Norm(Conv(Full(x, Width()), width))));
      }
      case 3:  // pre-activated
        return Plus(x, Conv(Act(Norm(Conv(Act(Norm(x)), Width()))), c));
      case 4: {  // inverted residual
        const ValueId wide = Full(x, 2 * c);
        return Plus(x, Norm(Conv(Full(wide, 2 * c, 2 * c), c)));
      }
      case 5:  // a depthwise convolution with a multiplier
        return Full(x, 2 * c, c);
      case 6:  // few large groups
        return Full(Full(x, 12), 8, 2);
      case 7:  // many small groups
        return Full(Full(x, 12), 12, 4);
      case 8:  // Inception
        return Join({Full(x, Width()), Full(Full(x, Width()), Width()), x});
      case 9: {  // dense
        x = Join({x, Conv(Act(Norm(x)), 4)});
        return Join({x, Conv(Act(Norm(x)), 4)});
      }
      case 13: {  // ShuffleNet
        if (c % 2 != 0) return x;
        const auto [low, high] = Halves(x);
        return b_.Shuffle(Name("shuffle"), Join({low, Full(Full(high, c / 2), c / 2)}), 2);
      }
      case 10: {  // squeeze and excitation
        ValueId gate = b_.Add(Name("squeeze"), GlobalAveragePool{}, {x});
        gate = Conv(Act(Conv(gate, 4, 1, true)), c, 1, true);
        gate = b_.Add(Name("gate"), Activation{ActivationKind::kSigmoid, 0, 0}, {gate});
        return b_.Add(Name("gated"), Binary{BinaryKind::kMul}, {x, gate});
      }
      case 14: {  // a shortcut padded with channels of zeros
        const int64_t wider = c + b_.random().Integer(1, 4), begin = (wider - c) / 2;
        const ValueId shortcut =
            b_.Add(Name("pad"),
                   Pad{PadMode::kConstant, {0, begin, 0, 0}, {0, wider - c - begin, 0, 0}, 0}, {x});
        return Plus(shortcut, Conv(Full(x, Width()), wider));
      }
      case 11: {  // scaled and shifted by constants of two shapes
        const ValueId scale = b_.Constant(Name("scale"), {1, c, 1, 1});
        const ValueId shift = b_.Constant(Name("shift"), {c, 1, 1});
        x = b_.Add(Name("scaled"), Binary{BinaryKind::kMul}, {x, scale});
        return b_.Add(Name("shifted"), Binary{BinaryKind::kAdd}, {shift, x});
      }
      case 12: {  // the halves computed apart
        const auto [low, high] = Halves(x);
        return Plus(Full(low, 8), Full(high, 8));
      }
      default: {  // through channels-last and back, the halves computed apart
        x = b_.Add(Name("nhwc"), Transpose{{0, 2, 3, 1}}, {x});
        x = b_.Add(Name("nchw"), Transpose{{0, 3, 1, 2}}, {Act(x)});
        const auto [low, high] = Halves(x);
        return Plus(Full(low, 8), Full(high, 8));
      }
    }
  }

  void Head(ValueId x) {
    const bool is_pooled = b_.ShapeOf(x)[2] > 3 && b_.random().Chance(0.5);
    if (is_pooled) x = b_.MaxPool(Name("pool"), x);
    switch (b_.random().Below(3)) {
      case 0:
        return b_.Classify(x);
      case 1: {  // VGG
        x = b_.Linear(Name("hidden"), b_.Flatten(Name("flatten"), x), 8);
        b_.graph.AddOutput(b_.Linear("classifier", Act(x), 3));
        return;
      }
      default: {
        x = b_.Add(Name("mean"), ReduceMean{{2, 3}, false}, {x});
        const ValueId weight = b_.Constant(Name("weight"), {Channels(x), 3});
        b_.graph.AddOutput(b_.Add("classifier", MatMul{}, {x, weight}));
      }
    }
  }

  NetworkBuilder b_;
  bool is_pointwise_;
  int counter_ = 0;
};

}  // namespace

std::vector<Array> RandomInputs(const Graph& graph, uint64_t seed) {
  Random random(seed);
  std::vector<Array> inputs;
  for (ValueId id : graph.inputs()) {
    Array& array = inputs.emplace_back(Array{graph.value(id).type.shape, {}});
    array.values.resize(static_cast<size_t>(ElementCount(array.shape)));
    for (double& value : array.values) value = random.Uniform(-1, 1);
  }
  return inputs;
}

Graph WithConstants(const Graph& graph, const std::map<ValueId, Tensor>& replaced) {
  Graph result;
  result.metadata = graph.metadata;
  const std::vector<int> producers = graph.Producers();
  // Values are numbered as they were added, so adding them in that order keeps their numbers.
  for (ValueId id = 0; id < static_cast<ValueId>(graph.num_values()); ++id) {
    const Value& value = graph.value(id);
    if (const auto other = replaced.find(id); other != replaced.end()) {
      result.AddConstant(value.name, other->second);
    } else if (value.constant != nullptr) {
      result.AddConstant(value.name, value.constant);
    } else if (producers[id] < 0) {
      result.AddInput(value.name, value.type);
    } else if (const Node& node = graph.nodes()[producers[id]]; node.outputs[0] == id) {
      result.AddNode(node.name, node.op, node.inputs);
    }
  }
  for (ValueId id : graph.outputs()) result.AddOutput(id);
  return result;
}

Graph RandomNetwork(uint64_t seed, bool is_pointwise) {
  return RandomBlocks(seed, is_pointwise).Build();
}

}  // namespace fettle
