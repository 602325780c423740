#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <limits>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/network/onnx/names.h"
#include "tests/network/onnx/model_builder.h"

// Files that are damaged or mean harm: an Error that says what is wrong, and nothing else.

namespace fettle {
namespace {

using testing::HasSubstr;

// One of most things: windows, constants in both forms, folding, several outputs.
onnx::ModelProto RichModel() {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"N", "2", "6", "6"});
  AddInitializer(&model, "w", Zeros({4, 2, 3, 3}));
  AddInitializer(&model, "scale", F32({1, 1, 1, 1}));
  onnx::TensorProto* shape = model.mutable_graph()->add_initializer();
  shape->set_name("shape");
  shape->set_data_type(onnx::TensorProto::INT64);
  shape->add_dims(2);
  shape->add_int64_data(0);
  shape->add_int64_data(-1);
  AddNode(&model, "Conv", {"x", "w"}, {"c"}, {{"auto_pad", "SAME_UPPER"}, {"strides", Ints{2, 2}}});
  AddNode(&model, "BatchNormalization", {"c", "scale", "scale", "scale", "scale"}, {"n"},
          {{"epsilon", 0.01}});
  AddNode(&model, "MaxPool", {"n"}, {"p"}, {{"kernel_shape", Ints{2, 2}}, {"ceil_mode", 1}});
  AddNode(&model, "Constant", {}, {"k"}, {{"value", I64({1, 1, 2, 2})}});
  AddNode(&model, "Resize", {"p", "", "", "k4"}, {"r"}, {{"mode", "linear"}});
  AddNode(&model, "Shape", {"p"}, {"s"});
  AddNode(&model, "Slice", {"s", "first", "second"}, {"s2"});
  AddNode(&model, "Concat", {"s2", "hw"}, {"k4"}, {{"axis", 0}});
  AddInitializer(&model, "first", I64({0}));
  AddInitializer(&model, "second", I64({2}));
  AddInitializer(&model, "hw", I64({4, 4}));
  AddNode(&model, "Split", {"r"}, {"a", "b"}, {{"axis", 1}});
  AddNode(&model, "Add", {"a", "b"}, {"sum"})->set_name("add");
  AddNode(&model, "Reshape", {"sum", "shape"}, {"flat"});
  AddNode(&model, "Softmax", {"flat"}, {"y"});
  AddOutput(&model, "y", {"N", "32"});
  onnx::StringStringEntryProto* entry = model.add_metadata_props();
  entry->set_key("k");
  entry->set_value("v");
  return model;
}

TEST(HostileTest, TheModelItselfIsSound) { EXPECT_EQ(FaultOf(RichModel()), ""); }

// Whatever the bytes, an import ends in a graph or an Error.
bool IsImported(const std::string& bytes) {
  try {
    ImportBytes(bytes);
    return true;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("test.onnx: "));
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return false;
  }
}

TEST(HostileTest, EveryTruncationIsAnError) {
  const onnx::ModelProto model = RichModel();
  const std::string bytes = BytesOf(model);
  onnx::ModelProto bare = model;
  bare.clear_metadata_props();
  const size_t metadata = bytes.size() - BytesOf(bare).size();
  for (size_t length = 0; length < bytes.size(); ++length) {
    // Only what ends exactly before the metadata, which come last, is a whole model.
    const bool is_whole = length == bytes.size() - metadata;
    EXPECT_EQ(IsImported(bytes.substr(0, length)), is_whole) << length << " of " << bytes.size();
  }
}

TEST(HostileTest, MutatedBytesNeverCrash) {
  const std::string sound = BytesOf(RichModel());
  Random random(20240607);
  int imported = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = sound;
    const int changes = 1 + static_cast<int>(random.Below(4));
    for (int i = 0; i < changes; ++i) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    imported += IsImported(bytes) ? 1 : 0;
  }
  EXPECT_GT(imported, 0) << "weights, at least, may change";
  EXPECT_LT(imported, 4000);
}

// --- Tensors that lie about themselves ---

std::string TensorFault(const Ints& dims, int32_t type, const std::string& raw) {
  onnx::ModelProto model = EmptyModel(13);
  onnx::TensorProto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_data_type(type);
  for (int64_t extent : dims) tensor->add_dims(extent);
  tensor->set_raw_data(raw);
  AddOutput(&model, "w");
  return FaultOf(model);
}

TEST(HostileTensorTest, DimsMustMatchTheData) {
  constexpr int64_t kHuge = int64_t{1} << 39;
  EXPECT_EQ(TensorFault({2}, 1, "12345678"), "");
  EXPECT_THAT(TensorFault({3}, 1, "12345678"),
              HasSubstr("initializer 'w': holds 8 bytes, f32[3] needs 12"));
  EXPECT_THAT(TensorFault({kHuge}, 1, "12345678"), HasSubstr("holds 8 bytes"));
  EXPECT_THAT(TensorFault({kHuge, kHuge}, 1, "1234"), HasSubstr("make no sense"));
  EXPECT_THAT(TensorFault({kHuge * 4, 0}, 1, ""), HasSubstr("make no sense"));
  EXPECT_THAT(TensorFault({-1}, 1, "1234"), HasSubstr("dims -1 make no sense"));
  EXPECT_THAT(TensorFault({-2, -1}, 1, "12345678"), HasSubstr("make no sense"));
  EXPECT_THAT(TensorFault(Ints(100000, 1), 1, "1234"), HasSubstr("a tensor of 100000 axes"));
}

TEST(HostileTensorTest, TypedFieldsAreCounted) {
  onnx::ModelProto model = EmptyModel(13);
  onnx::TensorProto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_data_type(onnx::TensorProto::INT8);
  tensor->add_dims(int64_t{1} << 38);
  tensor->add_int32_data(1);
  AddOutput(&model, "w");
  EXPECT_THAT(FaultOf(model), HasSubstr("holds 1 values, i8[274877906944] needs"));
  tensor->set_dims(0, 1);
  EXPECT_EQ(FaultOf(model), "");
  tensor->set_int32_data(0, 300);
  EXPECT_THAT(FaultOf(model), HasSubstr("value 300 in a tensor of i8"));
}

TEST(HostileTensorTest, ElementTypesMustBeKnown) {
  EXPECT_THAT(TensorFault({1}, 13, "12345678"), HasSubstr("element type uint64 is not supported"));
  EXPECT_THAT(TensorFault({1}, 0, "1234"), HasSubstr("element type undefined"));
  EXPECT_THAT(TensorFault({1}, -7, "1234"), HasSubstr("element type number -7"));
  onnx::ModelProto model = EmptyModel(13);
  onnx::TensorProto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("unread");
  tensor->set_data_type(13);
  AddInput(&model, "x", {"1"});
  AddNode(&model, "Relu", {"x"}, {"y"});
  AddOutput(&model, "y");
  EXPECT_EQ(FaultOf(model), "") << "a tensor that nothing reads does no harm";
  tensor->mutable_segment()->set_begin(0);
  model.mutable_graph()->add_sparse_initializer();
  EXPECT_THAT(FaultOf(model), HasSubstr("sparse initializers"));
}

// --- Results that the file does not justify ---

TEST(HostileFoldTest, LargeResultsAreNotAllocated) {
  constexpr int64_t kHuge = int64_t{1} << 38;
  const char* reason = "too large for a file of this size";
  EXPECT_THAT(FaultOf(OneNode{13, "ConstantOfShape", {}, {}, {I64({kHuge})}}), HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{13, "ConstantOfShape", {}, {}, {I64({kHuge, kHuge})}}),
              HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{13, "ConstantOfShape", {}, {}, {I64({-1})}}), HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{13, "Expand", {}, {}, {I64({1}), I64({kHuge})}}), HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{13, "Tile", {}, {}, {I64({1}), I64({kHuge})}}), HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{13, "Tile", {}, {}, {I64({1, 2}), I64({-1})}}),
              HasSubstr("repeats -1"));
  EXPECT_THAT(FaultOf(OneNode{13, "Range", {}, {}, {I64({0}), I64({kHuge}), I64({1})}}),
              HasSubstr(reason));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(FaultOf(OneNode{13, "Range", {}, {}, {I64({-kMost}), I64({kMost}), I64({1})}}),
              HasSubstr(reason));
  EXPECT_THAT(FaultOf(OneNode{13, "Range", {}, {}, {I64({0}), I64({1}), I64({0})}}),
              HasSubstr("its step is 0"));
  EXPECT_THAT(FaultOf(OneNode{13, "Range", {}, {}, {F32({0}), F32({1}), F32({0})}}),
              HasSubstr(reason));
}

TEST(HostileFoldTest, ManyLargeResultsAreNotAllocatedEither) {
  onnx::ModelProto model = EmptyModel(13);
  AddInitializer(&model, "shape", I64({1 << 20}));
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back(Text("big", i));
    AddNode(&model, "ConstantOfShape", {"shape"}, {names.back()});
  }
  AddNode(&model, "Concat", names, {"y"}, {{"axis", 0}});
  AddOutput(&model, "y");
  EXPECT_THAT(FaultOf(model), HasSubstr("too large for a file of this size"));
}

TEST(HostileFoldTest, ManyCopiesOfTheFilesOwnTensorsAreNotMadeEither) {
  for (const char* op_type : {"Max", "Neg", "ReduceMax", "Transpose"}) {
    onnx::ModelProto model = EmptyModel(13);
    AddInitializer(&model, "w", Zeros({1 << 18}, DType::kI64));
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) {
      names.push_back(Text("copy", i));
      AddNode(&model, op_type, {"w"}, {names.back()});
    }
    AddNode(&model, "Concat", names, {"y"}, {{"axis", 0}});
    AddOutput(&model, "y");
    EXPECT_THAT(FaultOf(model), HasSubstr("too large for a file of this size")) << op_type;
  }
}

TEST(HostileFoldTest, ManyAxesAreRefused) {
  EXPECT_THAT(FaultOf(OneNode{13, "Unsqueeze", {{2}}, {}, {I64(Ints(100000, -1))}}),
              HasSubstr("axis"));
  Ints axes(100000);
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  EXPECT_THAT(FaultOf(OneNode{13, "Unsqueeze", {{2}}, {}, {I64(axes)}}),
              HasSubstr("a tensor of 100001 axes"));
  EXPECT_THAT(FaultOf(OneNode{13, "Reshape", {{1}}, {}, {I64(Ints(100000, 1))}}),
              HasSubstr("axes"));
}

// --- Graphs that make no sense ---

onnx::ModelProto Chain() {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"2"});
  AddNode(&model, "Relu", {"x"}, {"a"})->set_name("first");
  AddNode(&model, "Relu", {"a"}, {"b"})->set_name("second");
  AddOutput(&model, "b");
  return model;
}

TEST(HostileGraphTest, Cycles) {
  onnx::ModelProto model = Chain();
  AddNode(&model, "Add", {"a", "d"}, {"c"})->set_name("third");
  AddNode(&model, "Add", {"c", "b"}, {"d"})->set_name("fourth");
  AddOutput(&model, "d");
  EXPECT_THAT(FaultOf(model), HasSubstr("node 'third' (Add): waits for its own result; 2 nodes"));
  onnx::ModelProto self = EmptyModel(13);
  AddNode(&self, "Relu", {"a"}, {"a"});
  AddOutput(&self, "a");
  EXPECT_THAT(FaultOf(self), HasSubstr("node 'a' (Relu): waits for its own result"));
}

TEST(HostileGraphTest, NamesGivenTwice) {
  onnx::ModelProto model = Chain();
  AddNode(&model, "Tanh", {"x"}, {"b"})->set_name("third");
  EXPECT_THAT(FaultOf(model),
              HasSubstr("node 'third' (Tanh): computes 'b', as does node 'second' (Relu)"));
  model = Chain();
  AddNode(&model, "Tanh", {"a"}, {"x"})->set_name("third");
  EXPECT_THAT(FaultOf(model), HasSubstr("computes 'x', which is an input or initializer"));
  model = Chain();
  AddInput(&model, "x", {"2"});
  EXPECT_THAT(FaultOf(model), HasSubstr("two inputs 'x'"));
  model = Chain();
  AddInitializer(&model, "w", F32({1}));
  AddInitializer(&model, "w", F32({1}));
  EXPECT_THAT(FaultOf(model), HasSubstr("two initializers 'w'"));
}

TEST(HostileGraphTest, NamesOfNothing) {
  onnx::ModelProto model = Chain();
  AddNode(&model, "Add", {"b", "nowhere"}, {"c"})->set_name("third");
  AddOutput(&model, "c");
  EXPECT_THAT(FaultOf(model),
              HasSubstr("node 'third' (Add): reads 'nowhere', which nothing computes"));
  model = Chain();
  AddOutput(&model, "nowhere");
  EXPECT_THAT(FaultOf(model), HasSubstr("output 'nowhere': reads 'nowhere', which nothing"));
  model = Chain();
  model.mutable_graph()->mutable_node(1)->clear_input();
  EXPECT_THAT(FaultOf(model), HasSubstr("node 'second' (Relu): "));
  model = Chain();
  AddInitializer(&model, "", F32({1}));
  EXPECT_THAT(FaultOf(model), HasSubstr("an initializer without a name"));
  // An output that the operator does not have.
  model = Chain();
  model.mutable_graph()->mutable_node(1)->add_output("more");
  AddOutput(&model, "more");
  EXPECT_THAT(FaultOf(model), HasSubstr("output 'more'"));
}

TEST(HostileGraphTest, NamesThatAreNoText) {
  onnx::ModelProto model = Chain();
  model.mutable_graph()->mutable_node(0)->set_name("a\xFFz");
  EXPECT_THAT(FaultOf(model), HasSubstr("node name 'a\\xffz' is not UTF-8"));
  model = Chain();
  AddInput(&model, "line\nbreak", {"1"});
  EXPECT_THAT(FaultOf(model), HasSubstr("input 'line\\x0abreak' is not UTF-8 without control"));
  model = Chain();
  model.mutable_graph()->mutable_node(0)->set_op_type(std::string("Re\0lu", 5));
  EXPECT_THAT(FaultOf(model), HasSubstr("'Re\\x00lu' is not an operator"));
}

TEST(HostileGraphTest, DeepNestingIsRefused) {
  onnx::ModelProto model = Chain();
  onnx::NodeProto* node = model.mutable_graph()->mutable_node(0);
  for (int depth = 0; depth < 1000; ++depth) {
    onnx::AttributeProto* body = node->add_attribute();
    body->set_name("body");
    body->set_type(onnx::AttributeProto::GRAPH);
    node = body->mutable_g()->add_node();
  }
  EXPECT_THAT(FaultOf(model), HasSubstr("is no ONNX model, or is truncated"));
}

TEST(HostileGraphTest, ALongChainTakesNoStack) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "v0", {"1"});
  constexpr int kLength = 20000;
  for (int i = kLength; i-- > 0;) {  // last first
    AddNode(&model, "Relu", {Text("v", i)}, {Text("v", i + 1)});
  }
  AddOutput(&model, Text("v", kLength));
  EXPECT_EQ(ImportProto(model).nodes().size(), static_cast<size_t>(kLength));
}

TEST(HostileGraphTest, ManyNodesOfOneNameTakeNoLongerThanOthers) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "v0", {"1"});
  constexpr int kLength = 20000;
  for (int i = 0; i < kLength; ++i) {
    AddNode(&model, "Relu", {Text("v", i)}, {Text("v", i + 1)})->set_name("same");
  }
  AddOutput(&model, Text("v", kLength));
  EXPECT_EQ(ImportProto(model).nodes().back().name, Text("same_", kLength));
}

// --- The names themselves ---

TEST(NamesTest, SoundNamesAreUtf8) {
  EXPECT_TRUE(IsSoundName("conv/\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"));
  for (const char* bad : {"\x80", "\xC0\xAF", "\xE2\x82", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xE0\x80\x80", "\xF8\x88\x80\x80\x80", "a\tb", "\x7F"}) {
    EXPECT_FALSE(IsSoundName(bad)) << Quoted(bad);
  }
  EXPECT_EQ(Quoted("a\xC3\n"), "'a\\xc3\\x0a'");
  EXPECT_LT(Quoted(std::string(100000, 'x')).size(), 200u);
}

}  // namespace
}  // namespace fettle
