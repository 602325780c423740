#include "fettle/network/onnx/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>

#include "fettle/core/error.h"
#include "tests/network/onnx/model_builder.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

class ImportFileTest : public testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(scratch_.path() / name, std::ios::binary) << bytes;
    return scratch_.path() / name;
  }

  static std::string FaultOfFile(const fs::path& file) {
    try {
      ImportOnnx(file);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
  }

  const ScratchFolder scratch_;
};

// --- Inputs and their sizes ---

onnx::ModelProto ReluModel(const std::vector<std::string>& dims) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", dims);
  AddNode(&model, "Relu", {"x"}, {"y"});
  AddOutput(&model, "y");
  return model;
}

Shape InputShape(const onnx::ModelProto& model, const ImportOptions& options = {}) {
  const Graph graph = ImportProto(model, options);
  return graph.value(graph.inputs().at(0)).type.shape;
}

TEST(ImportInputTest, AnOpenBatchIsFixed) {
  EXPECT_EQ(InputShape(ReluModel({"N", "3"})), (Shape{1, 3}));
  EXPECT_EQ(InputShape(ReluModel({"?", "3"}), {.batch = 8}), (Shape{8, 3}));
  EXPECT_EQ(InputShape(ReluModel({"-1", "3"}), {.batch = 8}), (Shape{8, 3}));
  EXPECT_EQ(InputShape(ReluModel({"4", "3"}), {.batch = 8}), (Shape{4, 3})) << "4 is not open";
  EXPECT_EQ(InputShape(ReluModel({"N", "N"}), {.batch = 8}), (Shape{8, 8}));
}

TEST(ImportInputTest, OtherOpenAxesMustBeGiven) {
  EXPECT_EQ(InputShape(ReluModel({"N", "3", "h", "?"}), {.dims = {{"h", 5}, {"x[3]", 6}}}),
            (Shape{1, 3, 5, 6}));
  EXPECT_EQ(InputShape(ReluModel({"N"}), {.dims = {{"N", 5}}}), (Shape{5}));
  EXPECT_THAT(FaultOf(ReluModel({"N", "3", "h", "?"})),
              HasSubstr("test.onnx: input 'x': axis 2 ('h') has no fixed size; give one for 'h'"));
  EXPECT_THAT(FaultOf(ReluModel({"N", "?"})),
              HasSubstr("input 'x': axis 1 has no fixed size; give one for 'x[1]'"));
  EXPECT_THAT(FaultOf(ReluModel({"N", "h"}), {.dims = {{"h", 0}}}),
              HasSubstr("a size of 0 for 'h'"));
  EXPECT_THAT(FaultOf(ReluModel({"N"}), {.batch = 0}), HasSubstr("a batch of 0"));
}

TEST(ImportInputTest, MustBeTensorsWithAShape) {
  onnx::ModelProto model = ReluModel({"1"});
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  EXPECT_THAT(FaultOf(model), HasSubstr("input 'x': has no shape"));
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
  EXPECT_THAT(FaultOf(model), HasSubstr("input 'x': is not a tensor"));
  model = ReluModel({"1"});
  model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(8);
  EXPECT_THAT(FaultOf(model), HasSubstr("input 'x': element type string is not supported"));
  EXPECT_THAT(FaultOf(ReluModel({"1000000000", "1000000000"})), HasSubstr("too many elements"));
}

TEST(ImportInputTest, MayBeFixedToValues) {
  onnx::ModelProto model = ModelOf(OneNode{13, "Reshape", {{2, 3}}});
  AddInput(&model, "shape", {"2"}, DType::kI64);
  model.mutable_graph()->mutable_node(0)->add_input("shape");
  ImportOptions options;
  options.constants.emplace("shape", I64({3, 2}));
  const Graph graph = ImportProto(model, options);
  EXPECT_EQ(OpsOf(graph), "reshape(shape=3x2)");
  EXPECT_EQ(graph.inputs().size(), 1u);
  options.constants.insert_or_assign("shape", I64({3, 2, 1}));
  EXPECT_THAT(FaultOf(model, options),
              HasSubstr("input 'shape': is declared i64[2], but was to be fixed to i64[3]"));
  options.constants.emplace("else", I64({}));
  options.constants.erase("shape");
  EXPECT_THAT(FaultOf(model, options), HasSubstr("there is no input 'else' to fix"));
}

TEST(ImportInputTest, WithAnInitializerIsAConstant) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"2"});
  AddInput(&model, "w", {"2"});
  AddInitializer(&model, "w", F32({1, 2}));
  AddNode(&model, "Add", {"x", "w"}, {"y"});
  AddOutput(&model, "y");
  const Graph graph = ImportProto(model);
  EXPECT_EQ(graph.inputs().size(), 1u);
  EXPECT_TRUE(graph.IsConstant(graph.nodes()[0].inputs[1]));
}

TEST(ImportOutputTest, DeclarationsMustHold) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"N", "3"});
  AddNode(&model, "Relu", {"x"}, {"y"});
  AddOutput(&model, "y", {"N", "3"});
  EXPECT_EQ(FaultOf(model), "");
  model.mutable_graph()->clear_output();
  AddOutput(&model, "y", {"?", "4"});
  EXPECT_THAT(FaultOf(model), HasSubstr("output 'y': is declared f32[?x4], but what computes it "
                                        "gives f32[1x3]"));
  model.mutable_graph()->clear_output();
  AddOutput(&model, "y", {"N", "3"}, DType::kI64);
  EXPECT_THAT(FaultOf(model), HasSubstr("is declared i64[?x3]"));
  model.mutable_graph()->clear_output();
  EXPECT_THAT(FaultOf(model), HasSubstr("has no outputs"));
}

TEST(ImportTest, KeepsMetadata) {
  onnx::ModelProto model = ReluModel({"1"});
  onnx::StringStringEntryProto* entry = model.add_metadata_props();
  entry->set_key("author");
  entry->set_value("somebody\nelse");
  EXPECT_EQ(ImportProto(model).metadata.at("author"), "somebody\nelse");
}

// --- Nodes, their names and order ---

TEST(ImportNodeTest, NamesAreUniqueAndNotEmpty) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"2"});
  AddNode(&model, "Relu", {"x"}, {"a"});
  AddNode(&model, "Relu", {"a"}, {"b"})->set_name("twice");
  AddNode(&model, "Relu", {"b"}, {"c"})->set_name("twice");
  AddNode(&model, "Relu", {"c"}, {"d"})->set_name("Relu_a");
  AddOutput(&model, "d");
  const Graph graph = ImportProto(model);
  ASSERT_EQ(graph.nodes().size(), 4u);
  EXPECT_EQ(graph.nodes()[0].name, "Relu_a_2") << "the file's own names go first";
  EXPECT_EQ(graph.nodes()[1].name, "twice");
  EXPECT_EQ(graph.nodes()[2].name, "twice_2");
  EXPECT_EQ(graph.nodes()[3].name, "Relu_a");
  EXPECT_EQ(graph.value(graph.nodes()[0].outputs[0]).name, "a");
}

TEST(ImportNodeTest, AreSortedAndDeadOnesLeftOut) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"2"});
  AddNode(&model, "Tanh", {"a"}, {"b"});
  AddNode(&model, "Einsum", {"b"}, {"dead"});
  AddNode(&model, "Relu", {"x"}, {"a"});
  AddNode(&model, "Sigmoid", {"b"}, {"c"});
  AddOutput(&model, "c");
  EXPECT_EQ(OpsOf(ImportProto(model)),
            "activation(kind=relu,alpha=0,beta=0)\nactivation(kind=tanh,alpha=0,beta=0)\n"
            "activation(kind=sigmoid,alpha=0,beta=0)");
}

TEST(ImportNodeTest, TrailingOptionalInputsMayBeEmpty) {
  onnx::ModelProto model = ModelOf(OneNode{13, "Conv", {{1, 1, 4}, {1, 1, 3}}});
  model.mutable_graph()->mutable_node(0)->add_input("");
  EXPECT_EQ(ImportProto(model).nodes()[0].inputs.size(), 2u);
}

// --- What is not supported ---

onnx::ModelProto UnsupportedModel() {
  onnx::ModelProto model = EmptyModel(15);
  AddOpset(&model, "com.example", 1);
  AddInput(&model, "x", {"1", "2", "4", "4"});
  AddNode(&model, "Einsum", {"x"}, {"a"})->set_name("first");
  AddNode(&model, "Relu", {"a"}, {"b"})->set_name("between");
  // Behind an unknown value, but refused for its attributes alone.
  AddNode(&model, "Resize", {"b"}, {"c"}, {{"mode", "cubic"}})->set_name("second");
  AddNode(&model, "Relu", {"c"}, {"d"}, {})->set_domain("com.example");
  onnx::NodeProto* branch = AddNode(&model, "If", {"d"}, {"e"});
  branch->set_name("fourth");
  onnx::AttributeProto* body = branch->add_attribute();
  body->set_name("then_branch");
  body->set_type(onnx::AttributeProto::GRAPH);
  body->mutable_g()->set_name("body");
  AddOutput(&model, "e");
  return model;
}

TEST_F(ImportFileTest, ListsAllThatIsUnsupportedAtOnce) {
  const fs::path file = Write("model.onnx", BytesOf(UnsupportedModel()));
  const std::vector<UnsupportedOperator> expected = {
      {"first", "Einsum", "", "'Einsum' is not an operator that Fettle knows"},
      {"second", "Resize", "", "the mode 'cubic'"},
      {"Relu_d", "Relu", "com.example", "operators of the domain 'com.example' are not supported"},
      {"fourth", "If", "", "runs a subgraph; export the model without control flow"}};
  EXPECT_EQ(FindUnsupported(file), expected);
  EXPECT_EQ(FaultOfFile(file),
            file.string() +
                ": 4 operators are not supported: node 'first' (Einsum): 'Einsum' is not an "
                "operator that Fettle knows; node 'second' (Resize): the mode 'cubic'; node "
                "'Relu_d' (Relu): operators of the domain 'com.example' are not supported; and 1 "
                "more, which `fettle inspect` lists");
  EXPECT_TRUE(FindUnsupported(Write("good.onnx", BytesOf(ReluModel({"1"})))).empty());
}

TEST(ImportRefusalTest, FunctionsOfTheModel) {
  onnx::ModelProto model = ReluModel({"1"});
  onnx::FunctionProto* function = model.add_functions();
  function->set_name("Relu");
  EXPECT_THAT(FaultOf(model), HasSubstr("calls a function of the model"));
}

// --- Opsets ---

TEST(ImportOpsetTest, OnlyThoseThatAreKnown) {
  for (int64_t opset : {6, 7, 13, 26}) {
    onnx::ModelProto model = ReluModel({"1"});
    model.mutable_opset_import(0)->set_version(opset);
    EXPECT_EQ(FaultOf(model), "") << opset;
    model.mutable_opset_import(0)->set_domain("ai.onnx");
    EXPECT_EQ(FaultOf(model), "") << opset;
  }
  for (int64_t opset : {-1, 0, 5, 27}) {
    onnx::ModelProto model = ReluModel({"1"});
    model.mutable_opset_import(0)->set_version(opset);
    EXPECT_THAT(FaultOf(model),
                HasSubstr("is not supported; convert the model to one from 6 to 26"));
  }
  onnx::ModelProto model = ReluModel({"1"});
  model.clear_opset_import();
  EXPECT_THAT(FaultOf(model), HasSubstr("names no opset; is it an ONNX model?"));
}

// --- Element types ---

TEST(ImportElementTest, TypedFieldsAndRawDataGiveTheSame) {
  const auto import = [](const std::function<void(onnx::TensorProto*)>& fill) {
    onnx::ModelProto model = EmptyModel(13);
    onnx::TensorProto* tensor = model.mutable_graph()->add_initializer();
    tensor->set_name("w");
    tensor->add_dims(2);
    fill(tensor);
    AddOutput(&model, "w");
    const Graph graph = ImportProto(model, {.widen_halves = false});
    return *graph.value(graph.outputs()[0]).constant;
  };
  using Proto = onnx::TensorProto;
  EXPECT_EQ(import([](Proto* p) {
              p->set_data_type(Proto::FLOAT);
              p->add_float_data(1.5f);
              p->add_float_data(-2);
            }),
            F32({1.5f, -2}));
  EXPECT_EQ(import([](Proto* p) {
              p->set_data_type(Proto::DOUBLE);
              p->add_double_data(1.5);
              p->add_double_data(-2);
            }),
            (Tensor::Of<double>(DType::kF64, {2}, {{1.5, -2}})));
  EXPECT_EQ(import([](Proto* p) {
              p->set_data_type(Proto::INT64);
              p->add_int64_data(int64_t{1} << 40);
              p->add_int64_data(-1);
            }),
            I64({int64_t{1} << 40, -1}));
  const auto small = [&](Proto::DataType type) {
    return import([type](Proto* p) {
      p->set_data_type(type);
      p->add_int32_data(1);
      p->add_int32_data(0);
    });
  };
  EXPECT_EQ(small(Proto::INT8), (Tensor::Of<int8_t>(DType::kI8, {2}, {{1, 0}})));
  EXPECT_EQ(small(Proto::UINT8), (Tensor::Of<uint8_t>(DType::kU8, {2}, {{1, 0}})));
  EXPECT_EQ(small(Proto::INT16), (Tensor::Of<int16_t>(DType::kI16, {2}, {{1, 0}})));
  EXPECT_EQ(small(Proto::INT32), (Tensor::Of<int32_t>(DType::kI32, {2}, {{1, 0}})));
  EXPECT_EQ(small(Proto::BOOL), (Tensor::Of<uint8_t>(DType::kBool, {2}, {{1, 0}})));
  EXPECT_EQ(small(Proto::FLOAT16), (Tensor::Of<uint16_t>(DType::kF16, {2}, {{1, 0}})));
  EXPECT_EQ(small(Proto::BFLOAT16), (Tensor::Of<uint16_t>(DType::kBF16, {2}, {{1, 0}})));
  EXPECT_EQ(import([](Proto* p) {
              p->set_data_type(Proto::BOOL);
              p->set_raw_data(std::string("\x07\x00", 2));
            }),
            (Tensor::Of<uint8_t>(DType::kBool, {2}, {{1, 0}})))
      << "any byte but 0 is true";
}

TEST(ImportElementTest, HalvesAreWidenedThroughout) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"6"}, DType::kF16);
  // 1, -2, the largest, the smallest, infinity, a subnormal.
  AddInitializer(
      &model, "w",
      Tensor::Of<uint16_t>(DType::kF16, {6}, {{0x3C00, 0xC000, 0x7BFF, 0x0400, 0x7C00, 0x0001}}));
  AddInitializer(&model, "b", Tensor::Of<uint16_t>(DType::kBF16, {1}, {{0x3F80}}));
  AddNode(&model, "Mul", {"x", "w"}, {"y"});
  AddNode(&model, "Cast", {"b"}, {"b16"}, {{"to", 10}});
  AddNode(&model, "Add", {"y", "b16"}, {"z"});
  AddOutput(&model, "z", {"6"}, DType::kF16);
  const Graph graph = ImportProto(model);
  EXPECT_EQ(graph.value(graph.inputs()[0]).type.dtype, DType::kF32);
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.dtype, DType::kF32);
  EXPECT_EQ(*graph.value(graph.nodes()[0].inputs[1]).constant,
            F32({1, -2, 65504, 0x1p-14f, std::numeric_limits<float>::infinity(), 0x1p-24f}));
  EXPECT_EQ(graph.value(graph.nodes()[1].inputs[1]).type.dtype, DType::kF32);
  const Graph kept = ImportProto(model, {.widen_halves = false});
  EXPECT_EQ(kept.value(kept.outputs()[0]).type.dtype, DType::kF16);
}

// --- Files ---

TEST_F(ImportFileTest, NamesTheFile) {
  EXPECT_THAT(FaultOfFile(scratch_.path() / "missing.onnx"), HasSubstr("missing.onnx: "));
  EXPECT_THAT(FaultOfFile(scratch_.path()), HasSubstr("is not a file"));
  EXPECT_THAT(FaultOfFile(Write("text.onnx", "this is no model")),
              HasSubstr("text.onnx: is no ONNX model, or is truncated"));
  EXPECT_THAT(FaultOfFile(Write("empty.onnx", "")), HasSubstr("has no graph"));
}

// A model y = x + w with w in external data of these entries.
onnx::ModelProto ExternalModel(const std::vector<std::pair<std::string, std::string>>& entries) {
  onnx::ModelProto model = EmptyModel(13);
  AddInput(&model, "x", {"2"});
  onnx::TensorProto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->add_dims(2);
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    onnx::StringStringEntryProto* entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  AddNode(&model, "Add", {"x", "w"}, {"y"});
  AddOutput(&model, "y");
  return model;
}

class ExternalDataTest : public ImportFileTest {
 protected:
  std::string FaultWith(const std::vector<std::pair<std::string, std::string>>& entries) const {
    return FaultOfFile(Write("model.onnx", BytesOf(ExternalModel(entries))));
  }
};

TEST_F(ExternalDataTest, IsReadFromTheModelsFolder) {
  const std::vector<float> values = {9, 1.5f, -2, 9};
  fs::create_directory(scratch_.path() / "data");
  Write("data/weights", std::string(reinterpret_cast<const char*>(values.data()), 16));
  const fs::path file = Write("model.onnx", BytesOf(ExternalModel({{"location", "data/weights"},
                                                                   {"offset", "4"},
                                                                   {"length", "8"},
                                                                   {"checksum", "ignored"}})));
  const Graph graph = ImportOnnx(file);
  EXPECT_EQ(*graph.value(graph.nodes()[0].inputs[1]).constant, F32({1.5f, -2}));
  EXPECT_EQ(FaultWith({{"location", "data/weights"}}), "") << "from the start, as much as it needs";
}

TEST_F(ExternalDataTest, StaysInsideTheFolder) {
  const fs::path outside = scratch_.path().string() + "_outside";
  std::ofstream(outside) << "12345678";
  fs::create_symlink(outside, scratch_.path() / "link");
  fs::create_directory_symlink("/", scratch_.path() / "root");
  const char* only = "only a relative path inside the model's folder is read";
  EXPECT_THAT(FaultWith({{"location", outside.string()}}), HasSubstr(only));
  EXPECT_THAT(FaultWith({{"location", "../" + outside.filename().string()}}), HasSubstr(only));
  EXPECT_THAT(FaultWith({{"location", "a/../../b"}}), HasSubstr(only));
  EXPECT_THAT(FaultWith({{"location", ""}}), HasSubstr(only));
  EXPECT_THAT(FaultWith({{"location", std::string("a\0b", 3)}}), HasSubstr(only));
  EXPECT_THAT(FaultWith({}), HasSubstr(only));
  EXPECT_THAT(FaultWith({{"location", "link"}}), HasSubstr("leads out of the model's folder"));
  EXPECT_THAT(FaultWith({{"location", "root/etc/passwd"}}),
              HasSubstr("leads out of the model's folder"));
  fs::remove(outside);
}

TEST_F(ExternalDataTest, MustBeThereAndLargeEnough) {
  Write("weights", "12345678");
  fs::create_directory(scratch_.path() / "sub");
  const std::pair<std::string, std::string> location = {"location", "weights"};
  EXPECT_EQ(FaultWith({location}), "");
  EXPECT_THAT(FaultWith({{"location", "missing"}}), HasSubstr("is the file missing?"));
  EXPECT_THAT(FaultWith({{"location", "sub"}}), HasSubstr("is not a regular file"));
  EXPECT_THAT(FaultWith({location, {"offset", "1"}}),
              HasSubstr("f32[2] needs 8 bytes, the file has 7 at offset 1"));
  EXPECT_THAT(FaultWith({location, {"offset", "9"}}), HasSubstr("offset 9 of a file of 8 bytes"));
  EXPECT_THAT(FaultWith({location, {"length", "7"}}),
              HasSubstr("holds 7 bytes of external data, f32[2] needs 8"));
  for (const char* bad : {"-1", "", "1x", "99999999999999999999"}) {
    EXPECT_THAT(FaultWith({location, {"offset", bad}}), HasSubstr("external data with offset"));
  }
  EXPECT_THAT(FaultOf(ExternalModel({location})), HasSubstr("a model in memory may have none"));
}

}  // namespace
}  // namespace fettle
