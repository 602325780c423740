#include "fettle/core/layer_spec.h"

#include <gtest/gtest.h>

#include "fettle/core/layer_check.h"

namespace fettle {
namespace {

TensorType F(Shape shape) { return {DType::kF32, std::move(shape)}; }

LayerSpec ResidualConv() {
  LayerSpec spec;
  spec.op = Conv{{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 2};
  spec.inputs = {F({1, 64, 56, 56}), F({1, 32, 56, 56})};
  spec.weights = {F({32, 32, 3, 3}), F({32})};
  spec.output = F({1, 32, 56, 56});
  spec.adds_residual = true;
  spec.activation = Activation{ActivationKind::kClip, 0, 6};
  spec.density = 0.1;
  return spec;
}

LayerSpec BlockSparseConv() {
  LayerSpec spec = ResidualConv();
  spec.sparse_block = 4;
  return spec;
}

LayerSpec PlainSum() {
  LayerSpec spec;
  spec.op = Sum{};
  spec.inputs = {F({2}), F({2}), F({2})};
  spec.output = F({2});
  return spec;
}

TEST(LayerSpecTest, KeyIsThePersistedText) {
  EXPECT_EQ(KeyOf(ResidualConv()).text,
            "conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=1x1,groups=2) "
            "in=f32[1x64x56x56],f32[1x32x56x56] weights=f32[32x32x3x3],f32[32] "
            "out=f32[1x32x56x56] residual=1 activation(kind=clip,alpha=0,beta=6) density=0.1");
  EXPECT_EQ(KeyOf(BlockSparseConv()).text, KeyOf(ResidualConv()).text + " sparse_block=4");
  EXPECT_EQ(KeyOf(PlainSum()).text, "sum() in=f32[2],f32[2],f32[2] out=f32[2]");
}

TEST(LayerSpecTest, WhatDiffersInAnythingIsAnother) {
  std::vector<LayerSpec> specs = {ResidualConv(), PlainSum()};
  const auto vary = [&](auto change) { change(&specs.emplace_back(ResidualConv())); };
  vary([](LayerSpec* spec) { std::get<Conv>(spec->op).groups = 4; });
  vary([](LayerSpec* spec) { std::get<Conv>(spec->op).window.strides = {1, 2}; });
  vary([](LayerSpec* spec) { std::get<Conv>(spec->op).window.pads_end = {1}; });
  vary([](LayerSpec* spec) { spec->op = ChannelAffine{}; });
  vary([](LayerSpec* spec) { spec->inputs.pop_back(); });
  vary([](LayerSpec* spec) { spec->weights[1].dtype = DType::kBF16; });
  vary([](LayerSpec* spec) { spec->adds_residual = false; });
  vary([](LayerSpec* spec) { spec->activation.reset(); });
  vary([](LayerSpec* spec) { spec->activation->beta = 6.5; });
  vary([](LayerSpec* spec) { spec->density = 0.2; });
  for (size_t i = 0; i < specs.size(); ++i) {
    const LayerSpec copy = specs[i];
    EXPECT_EQ(HashOf(copy), HashOf(specs[i]));
    for (size_t j = 0; j < specs.size(); ++j) {
      EXPECT_EQ(specs[i] == specs[j], i == j);
      EXPECT_EQ(HashOf(specs[i]) == HashOf(specs[j]), i == j);
    }
  }
}

TEST(LayerSpecTest, KeyParsesBack) {
  for (const LayerSpec& spec : {ResidualConv(), BlockSparseConv(), PlainSum()}) {
    const std::optional<LayerSpec> parsed = ParseLayerSpec(KeyOf(spec).text);
    ASSERT_TRUE(parsed) << KeyOf(spec).text;
    EXPECT_EQ(*parsed, spec);
  }
}

TEST(LayerSpecTest, RefusesEverythingElse) {
  for (const char* text : {"",
                           "sum()",
                           "sum() ",
                           "sum()  in=f32[2] out=f32[2]",
                           "sum() out=f32[2] in=f32[2]",
                           "sum() in=f32[2] out=f32[2] ",
                           "sum() in=f32[2] in=f32[2] out=f32[2]",
                           "sum() in=f32[2], out=f32[2]",
                           "sum() in= out=f32[2]",
                           "sum() out=f32[2] density=1",
                           "sum() out=f32[2] density=2",
                           "sum() out=f32[2] density=nan",
                           "sum() out=f32[2] sparse_block=1",
                           "sum() out=f32[2] sparse_block=0",
                           "sum() out=f32[2] sparse_block=04",
                           "sum() out=f32[2] sparse_block=4 density=0.1",
                           "sum() out=f32[2] residual=0",
                           "sum() out=f32[2] sum()",
                           "sum() out=f32[2] colour=1",
                           "blur() out=f32[2]"}) {
    EXPECT_FALSE(ParseLayerSpec(text)) << text;
  }
}

TEST(LayerSpecTest, ChecksZerosAndTheirBlocks) {
  LayerSpec spec = BlockSparseConv();
  EXPECT_EQ(FaultOf(spec), std::nullopt);
  for (const int64_t block : {0, -4, 33}) {
    spec.sparse_block = block;
    EXPECT_NE(FaultOf(spec), std::nullopt) << block;
  }
  spec.sparse_block = 4;
  spec.density = 1;
  EXPECT_NE(FaultOf(spec), std::nullopt);
  LayerSpec sum = PlainSum();
  sum.density = 0.5;
  sum.sparse_block = 2;
  EXPECT_NE(FaultOf(sum), std::nullopt);
}

TEST(LayerSpecTest, CountsMultiplications) {
  EXPECT_EQ(MacsOf(ResidualConv()), int64_t{32} * 56 * 56 * 32 * 9);
  EXPECT_EQ(MacsOf(PlainSum()), 0);
  LayerSpec product;
  product.op = InnerProduct{};
  product.inputs = {F({4, 100})};
  product.weights = {F({10, 100}), F({10})};
  product.output = F({4, 10});
  EXPECT_EQ(MacsOf(product), 4 * 10 * 100);
  product.op = MatMul{};
  product.inputs = {F({3, 4, 100}), F({100, 10})};
  product.weights.clear();
  product.output = F({3, 4, 10});
  EXPECT_EQ(MacsOf(product), 3 * 4 * 10 * 100);
  LayerSpec block;
  block.op = InvertedResidual{true, {}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}}, {}};
  block.inputs = {F({2, 8, 6, 6})};
  block.weights = {F({24, 8, 1, 1}), F({24}), F({24, 1, 3, 3}), F({24}), F({9, 24, 1, 1}), F({9})};
  block.output = F({2, 9, 3, 3});
  EXPECT_EQ(MacsOf(block), 2 * 36 * 24 * 8 + 2 * 9 * 24 * 9 + 2 * 9 * 24 * 9);
}

}  // namespace
}  // namespace fettle
