#include <string>
#include <vector>

#include "tests/support/small/network.h"

// How values are wired: each function writes one network.

namespace fettle {
namespace {

const Shape kImage = {2, 4, 6, 6};
const OnnxAttributes kPadded = {{"pads", Ints{1, 1, 1, 1}}};

SmallModel TwoInputsTwoOutputs(uint64_t seed) {
  SmallNetwork n("two_inputs_two_outputs", seed);
  const std::string a = n.Input("a", kImage);
  const std::string b = n.Input("b", kImage);
  n.NodeTo({"sum"}, "Add", {n.Conv(a, {4, 4, 1, 1}), b});
  n.NodeTo({"product"}, "Mul", {n.Node("Relu", {"sum"}), a});
  n.Output("product", kImage);
  n.Output("sum", kImage);
  return n.Finish();
}

SmallModel InputIsOutput(uint64_t seed) {
  SmallNetwork n("input_is_output", seed);
  const std::string x = n.Input("x", kImage);
  n.NodeTo({"y"}, "Relu", {x});
  n.Output("x", kImage);
  n.Output("y", kImage);
  return n.Finish();
}

SmallModel UnusedInput(uint64_t seed) {
  SmallNetwork n("unused_input", seed);
  n.Input("unused", {3});
  n.NodeTo({"y"}, "Relu", {n.Input("x", kImage)});
  n.Output("y", kImage);
  return n.Finish();
}

SmallModel ConstantOutputs(uint64_t seed) {
  SmallNetwork n("constant_outputs", seed);
  const std::string weight = n.Weights({4, 1, 1});
  n.NodeTo({"y"}, "Mul", {n.Input("x", kImage), weight});
  n.NodeTo({"twice"}, "Add", {weight, weight});
  n.Output(weight, {4, 1, 1});
  n.Output("twice", {4, 1, 1});
  n.Output("y", kImage);
  return n.Finish();
}

SmallModel ReadByMany(uint64_t seed) {
  SmallNetwork n("read_by_many", seed);
  const std::string shared = n.Node("Relu", {n.Conv(n.Input("x", kImage), {4, 4, 3, 3}, kPadded)});
  std::vector<std::string> readers;
  for (const int64_t kernel : {1, 3}) {
    const int64_t pad = kernel / 2;
    readers.push_back(n.Conv(shared, {4, 4, kernel, kernel}, {{"pads", Ints(4, pad)}}));
  }
  readers.push_back(n.Node("Sigmoid", {shared}));
  readers.push_back(shared);
  n.NodeTo({"y"}, "Concat", readers, {{"axis", int64_t{1}}});
  n.Output("y", {2, 16, 6, 6});
  return n.Finish();
}

// The branch cannot be added in place, nor fused away: it is asked for.
SmallModel ResidualBranchIsOutput(uint64_t seed) {
  SmallNetwork n("residual_branch_is_output", seed);
  const std::string x = n.Input("x", kImage);
  const std::string branch = n.BatchNorm(n.Conv(x, {4, 4, 3, 3}, kPadded), 4);
  n.NodeTo({"sum"}, "Add", {branch, x});
  n.NodeTo({"y"}, "Relu", {"sum"});
  n.Output("y", kImage);
  n.Output(branch, kImage);
  n.Output("sum", kImage);
  return n.Finish();
}

SmallModel SplitWithUnusedOutputs(uint64_t seed) {
  SmallNetwork n("split_with_unused_outputs", seed);
  const std::string x = n.Input("x", {2, 6, 4, 4});
  n.NodeTo({"first", "second", "third"}, "Split", {x, n.onnx().ConstantInts({1, 3, 2})},
           {{"axis", int64_t{1}}});
  n.NodeTo({"y"}, "Relu", {"second"});
  n.NodeTo({"left", "right"}, "Split", {x, n.onnx().ConstantInts({2, 2})}, {{"axis", int64_t{-1}}});
  n.Output("y", {2, 3, 4, 4});
  n.Output("right", {2, 6, 4, 2});
  return n.Finish();
}

SmallModel SameValueTwice(uint64_t seed) {
  SmallNetwork n("same_value_twice", seed);
  const std::string x = n.Input("x", kImage);
  const std::string twice = n.Node("Add", {x, x});
  n.NodeTo({"y"}, "Concat", {twice, twice, x}, {{"axis", int64_t{0}}});
  n.Output("y", {6, 4, 6, 6});
  return n.Finish();
}

SmallModel SharedWeights(uint64_t seed) {
  SmallNetwork n("shared_weights", seed);
  const std::string weight = n.Weights({4, 4, 3, 3});
  const std::string once = n.Node("Conv", {n.Input("x", kImage), weight}, kPadded);
  n.NodeTo({"y"}, "Conv", {n.Node("Relu", {once}), weight}, kPadded);
  n.Output("y", kImage);
  return n.Finish();
}

SmallModel DeadNodes(uint64_t seed) {
  SmallNetwork n("dead_nodes", seed);
  const std::string x = n.Input("x", kImage);
  n.BatchNorm(n.Conv(x, {8, 4, 3, 3}), 8);
  n.NodeTo({"y"}, "Tanh", {x});
  n.Output("y", kImage);
  return n.Finish();
}

// Shapes and weights that are computed, but from constants only.
SmallModel ConstantSubgraph(uint64_t seed) {
  SmallNetwork n("constant_subgraph", seed);
  const std::string x = n.Input("x", kImage);
  const std::string weight = n.Node("Mul", {n.Weights({4, 4, 1, 1}), n.Scales({4, 1, 1, 1})});
  const std::string y = n.Node("Conv", {x, weight});
  const std::string sizes = n.Node("Shape", {y});
  const std::string batch =
      n.Node("Slice", {sizes, n.onnx().ConstantInts({0}), n.onnx().ConstantInts({1})});
  const std::string shape =
      n.Node("Concat", {batch, n.onnx().ConstantInts({-1})}, {{"axis", int64_t{0}}});
  n.NodeTo({"y"}, "Reshape", {y, shape});
  n.Output("y", {2, 144});
  return n.Finish();
}

SmallModel DynamicBatch(uint64_t seed) {
  SmallNetwork n("dynamic_batch", seed);
  const std::string x = n.OpenBatchInput("x", {3, 4, 6, 6});
  const std::string y = n.Node("Relu", {n.BatchNorm(n.Conv(x, {8, 4, 3, 3}), 8)});
  const std::string flat = n.Node("Reshape", {y, n.onnx().ConstantInts({0, -1})});
  n.NodeTo({"y"}, "Gemm", {flat, n.Weights({128, 5}), n.Weights({5})});
  n.OpenBatchOutput("y", {3, 5});
  return n.Finish();
}

// Nodes that do nothing, on the way and right at the output.
SmallModel Identities(uint64_t seed) {
  SmallNetwork n("identities", seed);
  const std::string x = n.Node("Identity", {n.Input("x", kImage)});
  const std::string y = n.Node("Dropout", {n.Conv(x, {4, 4, 1, 1})});
  n.NodeTo({"y"}, "Identity", {y});
  n.NodeTo({"z"}, "Identity", {x});
  n.Output("y", kImage);
  n.Output("z", kImage);
  return n.Finish();
}

// Batch norm where no convolution comes right before it, and where its result is read twice.
SmallModel BatchNormOutOfPlace(uint64_t seed) {
  SmallNetwork n("batch_norm_out_of_place", seed);
  const std::string x = n.BatchNorm(n.Input("x", kImage), 4);
  const std::string conv = n.Conv(x, {4, 4, 1, 1});
  const std::string both = n.Node("Concat", {conv, x}, {{"axis", int64_t{1}}});
  const std::string normed = n.Node("Relu", {n.BatchNorm(both, 8)});
  const std::string shared = n.Conv(normed, {4, 8, 1, 1});
  const std::string sum = n.Node("Add", {n.BatchNorm(shared, 4), n.BatchNorm(shared, 4)});
  const std::string flat = n.Node("Flatten", {sum});
  n.NodeTo({"hidden"}, "Gemm", {flat, n.Weights({144, 5}), n.Weights({5})});
  n.Output(n.BatchNorm("hidden", 5), {2, 5});
  return n.Finish();
}

}  // namespace

void AddWiringModels(uint64_t seed, std::vector<SmallModel>* models) {
  for (const auto make :
       {TwoInputsTwoOutputs, InputIsOutput, UnusedInput, ConstantOutputs, ReadByMany,
        ResidualBranchIsOutput, SplitWithUnusedOutputs, SameValueTwice, SharedWeights, DeadNodes,
        ConstantSubgraph, DynamicBatch, Identities, BatchNormOutOfPlace}) {
    models->push_back(make(seed));
  }
}

}  // namespace fettle
