#include "fettle/network/onnx/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <filesystem>
#include <fstream>

#include "fettle/core/error.h"
#include "tests/network/onnx/model_builder.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

Graph ThereAndBack(const Graph& graph, const ExportOptions& options = {}) {
  return ImportBytes(ExportOnnxBytes(graph, options), {.widen_halves = false});
}

void ExpectSame(const Graph& graph) {
  const Graph again = ThereAndBack(graph);
  EXPECT_EQ(DescriptionOf(again), DescriptionOf(graph));
  ASSERT_EQ(again.nodes().size(), graph.nodes().size());
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const std::vector<ValueId>& ids = graph.nodes()[n].inputs;
    for (size_t i = 0; i < ids.size(); ++i) {
      const Value& mine = graph.value(ids[i]);
      const Value& other = again.value(again.nodes()[n].inputs.at(i));
      ASSERT_EQ(mine.constant == nullptr, other.constant == nullptr);
      if (mine.constant == nullptr) continue;
      EXPECT_EQ(*mine.constant, *other.constant) << mine.name;
    }
  }
}

// A graph of one node over inputs of these shapes.
Graph GraphOf(const Op& op, const std::vector<Shape>& shapes, DType dtype = DType::kF32) {
  Graph graph;
  std::vector<ValueId> inputs;
  for (const Shape& shape : shapes) {
    inputs.push_back(graph.AddInput(Text("x", inputs.size()), {dtype, shape}));
  }
  for (ValueId id : graph.AddNode("node", op, inputs)) graph.AddOutput(id);
  return graph;
}

std::string FaultOfExport(const Graph& graph, const ExportOptions& options = {}) {
  try {
    ExportOnnxBytes(graph, options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(ExportTest, EveryOperatorComesBackTheSame) {
  const Shape x = {2, 3, 7, 8};
  const Window window = {{3, 2}, {2, 1}, {1, 2}, {1, 0}, {0, 1}};
  const std::vector<std::pair<Op, std::vector<Shape>>> cases = {
      {Conv{window, 3}, {x, {6, 1, 3, 2}, {6}}},
      {Conv{{{3}, {1}, {1}, {0}, {0}}, 1}, {{1, 2, 9}, {4, 2, 3}}},
      {BatchNorm{0.25f}, {x, {3}, {3}, {3}, {3}}},
      {Gemm{true, true, 0.5f, 2}, {{3, 2}, {4, 3}, {4}}},
      {MatMul{}, {{2, 3}, {3, 4}}},
      {Activation{ActivationKind::kRelu}, {x}},
      {Activation{ActivationKind::kClip, -1, 6}, {x}},
      {Activation{ActivationKind::kLeakyRelu, 0.125f}, {x}},
      {Activation{ActivationKind::kSigmoid}, {x}},
      {Activation{ActivationKind::kHardSigmoid, 0.25f, 0.75f}, {x}},
      {Activation{ActivationKind::kHardSwish}, {x}},
      {Activation{ActivationKind::kTanh}, {x}},
      {Softmax{1}, {x}},
      {Pool{PoolKind::kMax, window, {0, 0}, false}, {x}},
      {Pool{PoolKind::kAverage, {{2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}}, {1, 0}, true}, {x}},
      {Pool{PoolKind::kAverage, {{2, 2}, {1, 1}, {2, 2}, {0, 0}, {0, 0}}, {0, 0}, false}, {x}},
      {GlobalAveragePool{}, {x}},
      {ReduceMean{{2, 3}, false}, {x}},
      {ReduceMean{{}, true}, {x}},
      {Binary{BinaryKind::kAdd}, {x, {3, 1, 1}}},
      {Binary{BinaryKind::kSub}, {x, x}},
      {Binary{BinaryKind::kMul}, {x, {1}}},
      {Binary{BinaryKind::kDiv}, {x, {8}}},
      {Sum{}, {x, x, {8}}},
      {Concat{1}, {x, x}},
      {Split{3, {5, 1, 2}}, {x}},
      {Slice{{0, 1, 6, 7}, {2, 3, -1, 2}, {1, 1, -1, -3}}, {x}},
      {Slice{{0, 0}, {2, 3}, {1, 1}}, {{2, 3}}},
      {Slice{{0}, {0}, {1}}, {{0}}},
      {Slice{{-1}, {-1}, {-1}}, {{0}}},
      {Reshape{{6, 56}}, {x}},
      {Reshape{{0, 5}}, {{3, 0}}},
      {Reshape{{}}, {{1, 1}}},
      {Transpose{{0, 2, 3, 1}}, {x}},
      {Pad{PadMode::kConstant, {0, 0, 1, 2}, {0, 0, -1, 0}, 0.5f}, {x}},
      {Pad{PadMode::kReflect, {0, 0, 1, 2}, {0, 0, 1, 0}, 0}, {x}},
      {Pad{PadMode::kEdge, {0, 0, 1, 2}, {0, 0, 1, 0}, 0}, {x}},
      {Resize{ResizeMode::kLinear,
              ResizeCoordinates::kPytorchHalfPixel,
              NearestRounding::kCeil,
              {1, 1, 1.6f, 0.5f},
              {2, 3, 11, 4}},
       {x}},
      {Resize{ResizeMode::kNearest,
              ResizeCoordinates::kAlignCorners,
              NearestRounding::kFloor,
              {1, 1, 3.0f / 7, 13.0f / 8},
              {2, 3, 3, 13}},
       {x}},
      {Lrn{5, 0.5f, 0.25f, 2}, {x}},
      {Cast{DType::kBF16}, {x}},
      {Cast{DType::kBool}, {x}},
      {Identity{}, {x}},
  };
  for (const auto& [op, shapes] : cases) {
    SCOPED_TRACE(OpText(op));
    ExpectSame(GraphOf(op, shapes));
  }
}

TEST(ExportTest, AWholeNetworkComesBackTheSame) {
  Graph graph;
  const ValueId x = graph.AddInput("image", {DType::kF32, {2, 3, 8, 8}});
  std::vector<float> values(108);  // 4x3x3x3
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 8;
  const ValueId w = graph.AddConstant("conv.weight", F32(values).Reshaped({4, 3, 3, 3}));
  const ValueId ones = graph.AddConstant("ones", F32({1, 1, 1, 1}));
  const Window same = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  const ValueId conv = graph.AddNode("conv", Conv{same, 1}, {x, w})[0];
  const ValueId norm = graph.AddNode("bn", BatchNorm{}, {conv, ones, ones, ones, ones})[0];
  const ValueId relu = graph.AddNode("relu", Activation{ActivationKind::kClip, 0, 6}, {norm})[0];
  graph.Rename(relu, "features");
  const std::vector<ValueId> halves = graph.AddNode("halves", Split{1, {2, 2}}, {relu});
  const ValueId sum = graph.AddNode("sum", Binary{}, halves)[0];
  const ValueId mean = graph.AddNode("mean", GlobalAveragePool{}, {sum})[0];
  graph.AddOutput(graph.AddNode("flat", Reshape{{2, 2}}, {mean})[0]);
  graph.AddOutput(relu);
  graph.metadata = {{"fettle.recipe", "two\nlines"}, {"author", "me"}};
  ExpectSame(graph);
}

TEST(ExportTest, OtherElementTypes) {
  for (DType dtype : {DType::kF64, DType::kF16, DType::kBF16, DType::kI8, DType::kU8, DType::kI16,
                      DType::kI32, DType::kI64}) {
    SCOPED_TRACE(NameOf(dtype));
    ExpectSame(GraphOf(Binary{}, {{2, 3}, {3}}, dtype));
    ExpectSame(GraphOf(Pad{PadMode::kConstant, {1}, {0}, 3}, {{4}}, dtype));
    ExpectSame(GraphOf(Activation{ActivationKind::kClip, 0, 6}, {{4}}, dtype));
  }
  EXPECT_THAT(FaultOfExport(GraphOf(Pad{PadMode::kConstant, {1}, {0}, 300}, {{4}}, DType::kU8)),
              HasSubstr("node 'node' (pad): value 300 cannot be written as u8"));
  for (DType half : {DType::kF16, DType::kBF16}) {
    EXPECT_THAT(FaultOfExport(GraphOf(Pad{PadMode::kConstant, {1}, {0}, 1e-3f}, {{4}}, half)),
                HasSubstr("value 0.001 cannot be written as"));
  }
}

onnx::ModelProto Parsed(const std::string& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return model;
}

TEST(ExportTest, OpsetsAsLowAsTheOperatorsAllow) {
  const auto opset = [](const Graph& graph) {
    return Parsed(ExportOnnxBytes(graph)).opset_import(0).version();
  };
  EXPECT_EQ(opset(GraphOf(Identity{}, {{2}})), 17);
  EXPECT_EQ(opset(GraphOf(ReduceMean{{}, true}, {{2}})), 18);
  EXPECT_EQ(
      opset(GraphOf(Pool{PoolKind::kAverage, {{2}, {1}, {2}, {0}, {0}}, {0}, false}, {{1, 1, 5}})),
      19);
  EXPECT_EQ(Parsed(ExportOnnxBytes(GraphOf(Identity{}, {{2}}))).ir_version(), 8);
}

TEST(ExportTest, ValueNamesAreUniqueInTheFile) {
  Graph graph;
  const ValueId x = graph.AddInput("x", {DType::kF32, {2}});
  const ValueId a = graph.AddNode("a", Identity{}, {x})[0];
  graph.Rename(a, "x");
  const ValueId b = graph.AddNode("b", Identity{}, {a})[0];
  graph.Rename(b, "");
  graph.AddOutput(graph.AddNode("y", Identity{}, {b})[0]);
  const Graph again = ThereAndBack(graph);
  EXPECT_EQ(again.value(again.inputs()[0]).name, "x");
  EXPECT_EQ(again.value(again.outputs()[0]).name, "y");
  EXPECT_EQ(again.nodes().size(), 3u);
}

TEST(ExportTest, AnUnusualOverhangBecomesPadding) {
  const Window window = {{3}, {2}, {1}, {0}, {0}};
  // ceil_mode would let only 1 of 6 elements hang over.
  const Graph graph = GraphOf(Pool{PoolKind::kMax, window, {3}, false}, {{1, 1, 6}});
  EXPECT_EQ(OpsOf(ThereAndBack(graph)),
            "pool(kind=max,kernel=3,strides=2,dilations=1,pads_begin=0,pads_end=3,overhang=0,"
            "count_include_pad=0)");
  EXPECT_THAT(FaultOfExport(GraphOf(Pool{PoolKind::kAverage, window, {3}, true}, {{1, 1, 6}})),
              HasSubstr("overhang 3 is not one that ONNX's ceil_mode gives"));
}

TEST(ExportTest, RefusesWhatHasNoForm) {
  EXPECT_THAT(FaultOfExport(GraphOf(InnerProduct{}, {{2, 3}, {4, 3}})),
              HasSubstr("node 'node' (inner_product): an operator of lowered layers"));
  const Resize odd = {ResizeMode::kNearest,
                      ResizeCoordinates::kHalfPixel,
                      NearestRounding::kFloor,
                      {1, 1, 2},
                      {1, 1, 9}};
  EXPECT_THAT(FaultOfExport(GraphOf(odd, {{1, 1, 4}})),
              HasSubstr("sizes 1x1x9 do not follow from the scales"));
}

// --- Open batches ---

TEST(ExportBatchTest, IsLeftOpenWherePossible) {
  Graph graph;
  const ValueId x = graph.AddInput("x", {DType::kF32, {1, 2, 4, 4}});
  const ValueId w = graph.AddConstant("w", Zeros({10, 8}));
  const Slice half = {{0, 0, 0, 0}, {1, 2, 2, 4}, {1, 1, 1, 1}};
  const Resize back = {ResizeMode::kNearest,
                       ResizeCoordinates::kHalfPixel,
                       NearestRounding::kFloor,
                       {1, 1, 1, 0.5f},
                       {1, 2, 2, 2}};
  const ValueId sliced = graph.AddNode("half", half, {x})[0];
  const ValueId resized = graph.AddNode("resize", back, {sliced})[0];
  const ValueId flat = graph.AddNode("flat", Reshape{{1, 8}}, {resized})[0];
  graph.AddOutput(graph.AddNode("y", Gemm{false, true}, {flat, w})[0]);
  const std::string bytes = ExportOnnxBytes(graph, {.dynamic_batch = "N"});
  const onnx::ModelProto model = Parsed(bytes);
  EXPECT_EQ(model.graph().input(0).type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(model.graph().output(0).type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(DescriptionOf(ImportBytes(bytes)), DescriptionOf(graph));
  const Graph larger = ImportBytes(bytes, {.batch = 5});
  EXPECT_EQ(larger.value(larger.outputs()[0]).type.shape, (Shape{5, 10}));
}

TEST(ExportBatchTest, IsRefusedWhereTheNetworkDependsOnIt) {
  const ExportOptions open = {.dynamic_batch = "N"};
  EXPECT_THAT(FaultOfExport(GraphOf(Reshape{{4, 2}}, {{2, 4}}), open),
              HasSubstr("the batch cannot be left open: the graph: node 'node' (Reshape): cannot"));
  EXPECT_THAT(FaultOfExport(GraphOf(Transpose{{1, 0}}, {{2, 2}}), open),
              HasSubstr("the batch cannot be left open: the graph: output 'node': is declared"));
  EXPECT_THAT(FaultOfExport(GraphOf(ReduceMean{{0}, false}, {{2, 4}}), open),
              HasSubstr("has it not as its leading axis"));
  EXPECT_THAT(FaultOfExport(GraphOf(Split{0, {1, 1}}, {{2, 4}}), open), HasSubstr("sizes 1x1"));
  EXPECT_THAT(FaultOfExport(GraphOf(Identity{}, {{}}), open), HasSubstr("input 'x0' is a scalar"));
}

// --- Files ---

TEST(ExportFileTest, WritesWholeFilesOnly) {
  const ScratchFolder scratch;
  const fs::path& folder = scratch.path();
  const Graph graph = GraphOf(Softmax{1}, {{2, 3}});
  ExportOnnx(graph, folder / "model.onnx");
  EXPECT_EQ(DescriptionOf(ImportOnnx(folder / "model.onnx")), DescriptionOf(graph));

  // What cannot be written leaves the old file, and nothing beside it.
  const Graph bad = GraphOf(InnerProduct{}, {{2, 3}, {4, 3}});
  EXPECT_THROW(ExportOnnx(bad, folder / "model.onnx"), Error);
  EXPECT_EQ(DescriptionOf(ImportOnnx(folder / "model.onnx")), DescriptionOf(graph));
  fs::create_directory(folder / "taken");
  fs::create_directory(folder / "taken" / "inside");
  EXPECT_THROW(ExportOnnx(graph, folder / "taken"), Error);
  EXPECT_THROW(ExportOnnx(graph, folder / "missing" / "model.onnx"), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 2);
}

}  // namespace
}  // namespace fettle
