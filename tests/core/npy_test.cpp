#include "fettle/core/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/random.h"

namespace fettle {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Written by NumPy: see tests/core/npy/make_fixtures.py.
std::filesystem::path Fixture(const std::string& name) {
  return std::filesystem::path(FETTLE_NPY_FIXTURES) / (name + ".npy");
}

template <typename T>
Tensor Make(DType dtype, const Shape& shape, const std::vector<T>& values) {
  return Tensor::Of<T>(dtype, shape, values);
}

// What NumPy writes before the values, version 1.0.
std::string WithHeader(const std::string& dictionary, const std::string& values = "") {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  return bytes + dictionary + values;
}

std::string ErrorOf(std::string_view bytes) {
  try {
    ParseNpy(bytes, "x.npy");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_THAT(error.what(), StartsWith("x.npy: "));
    return error.what();
  }
  return "no error";
}

TEST(NpyTest, ReadsEveryTypeThatNumPyWrites) {
  const Shape shape = {2, 3};
  EXPECT_EQ(ReadNpy(Fixture("f2")),
            Make<uint16_t>(DType::kF16, shape, {0, 0x3c00, 0x4000, 0x4200, 0xc400, 0x4500}));
  EXPECT_EQ(ReadNpy(Fixture("f4")), Make<float>(DType::kF32, shape, {0, 1, 2, 3, -4, 5}));
  EXPECT_EQ(ReadNpy(Fixture("f8")), Make<double>(DType::kF64, shape, {0, 1, 2, 3, -4, 5}));
  EXPECT_EQ(ReadNpy(Fixture("i1")), Make<int8_t>(DType::kI8, shape, {0, 1, 2, 3, -4, 5}));
  EXPECT_EQ(ReadNpy(Fixture("i2")), Make<int16_t>(DType::kI16, shape, {0, 1, 2, 3, -4, 5}));
  EXPECT_EQ(ReadNpy(Fixture("i4")), Make<int32_t>(DType::kI32, shape, {0, 1, 2, 3, -4, 5}));
  EXPECT_EQ(ReadNpy(Fixture("i8")), Make<int64_t>(DType::kI64, shape, {0, 1, 2, 3, -4, 5}));
  EXPECT_EQ(ReadNpy(Fixture("u1")), Make<uint8_t>(DType::kU8, shape, {0, 1, 2, 3, 128, 255}));
  EXPECT_EQ(ReadNpy(Fixture("bool")), Make<uint8_t>(DType::kBool, {1, 3}, {1, 0, 1}));
}

TEST(NpyTest, ReadsEveryShapeAndVersion) {
  EXPECT_EQ(ReadNpy(Fixture("scalar")), Make<double>(DType::kF64, {}, {7.5}));
  EXPECT_EQ(ReadNpy(Fixture("empty")), Make<float>(DType::kF32, {0, 3}, {}));
  for (const char* name : {"vector", "version2", "version3"}) {
    EXPECT_EQ(ReadNpy(Fixture(name)), Make<int64_t>(DType::kI64, {2}, {1, 2})) << name;
  }
}

TEST(NpyTest, TransposesFortranOrder) {
  std::vector<float> values(24);
  std::iota(values.begin(), values.end(), 0.0F);
  EXPECT_EQ(ReadNpy(Fixture("fortran")), Make<float>(DType::kF32, {2, 3, 4}, values));
}

TEST(NpyTest, RefusesTypesItDoesNotHold) {
  EXPECT_THAT(ErrorOf(ReadFile(Fixture("big_endian"))), HasSubstr("save it as little-endian"));
  EXPECT_THAT(ErrorOf(ReadFile(Fixture("structured"))), HasSubstr("structured arrays"));
  EXPECT_THAT(ErrorOf(WithHeader("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}")),
              HasSubstr("element type is not supported"));
}

// What NumPy reads back of these was looked at once; here the header is held to the letter.
TEST(NpyTest, WritesWhatNumPyReads) {
  const std::string bytes = NpyBytes(Make<int16_t>(DType::kI16, {1, 2}, {1, 2}));
  ASSERT_EQ(bytes.size(), 128U + 4);
  EXPECT_THAT(bytes, StartsWith(std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                                "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 2), }  "));
  EXPECT_EQ(bytes.substr(127), std::string("\n\x01\x00\x02\x00", 5));
  EXPECT_THAT(NpyBytes(Make<int8_t>(DType::kI8, {1}, {1})), HasSubstr("'|i1'"));
  EXPECT_THAT(NpyBytes(Make<int8_t>(DType::kI8, {1}, {1})), HasSubstr("(1,)"));
  EXPECT_THAT(NpyBytes(Make<int8_t>(DType::kI8, {}, {1})), HasSubstr("()"));
}

TEST(NpyTest, ReadsWhatItWrites) {
  Random random(1);
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kF16, DType::kI8, DType::kU8,
                            DType::kI16, DType::kI32, DType::kI64}) {
    for (const Shape& shape : std::vector<Shape>{{}, {5}, {2, 3, 4, 5}, {3, 0}, Shape(64, 1)}) {
      Tensor tensor(TensorType{dtype, shape});
      for (size_t i = 0; i < tensor.num_bytes(); ++i) tensor.bytes()[i] = std::byte(random.Next());
      EXPECT_EQ(ParseNpy(NpyBytes(tensor), "x"), tensor) << TypeText(tensor.type());
    }
  }
}

// However long the shape's text, the values begin at a multiple of 64.
TEST(NpyTest, AlignsTheValues) {
  for (int64_t extent = 0, digits = 0; digits < 18; ++digits, extent = 10 * extent + 1) {
    for (const Shape& shape : {Shape{0, extent}, Shape{0, extent, 1}}) {
      const std::string bytes = NpyBytes(Tensor(TensorType{DType::kF32, shape}));
      EXPECT_EQ(bytes.size() % 64, 0U) << ShapeText(shape);
      EXPECT_EQ(ParseNpy(bytes, "x").shape(), shape);
    }
  }
}

TEST(NpyTest, WidensBF16) {
  const Tensor narrow = Make<uint16_t>(DType::kBF16, {2}, {ToBF16(1.5F), ToBF16(-3.0F)});
  EXPECT_EQ(ParseNpy(NpyBytes(narrow), "x"), Make<float>(DType::kF32, {2}, {1.5F, -3.0F}));
}

TEST(NpyTest, FileRoundTrip) {
  const std::string path = Text(testing::TempDir(), "fettle_npy_test_", ::getpid(), ".npy");
  const Tensor narrow = Make<uint16_t>(DType::kBF16, {2}, {ToBF16(1.5F), ToBF16(-3.0F)});
  const Tensor wide = Make<float>(DType::kF32, {2}, {1.5F, -3.0F});
  for (const Tensor& tensor : {narrow, wide}) {
    WriteNpy(path, tensor);
    EXPECT_EQ(ReadFile(path), NpyBytes(tensor));
    EXPECT_EQ(ReadNpy(path), wide);
  }
  std::filesystem::remove(path);
  EXPECT_THROW(ReadNpy(path), Error);
  EXPECT_THROW(WriteNpy("/nonexistent/x.npy", wide), Error);
}

TEST(NpyTest, BoolsBecomeZeroOrOne) {
  const std::string bytes =
      WithHeader("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", "\x02\x01\xff");
  EXPECT_EQ(ParseNpy(bytes, "x"), Make<uint8_t>(DType::kBool, {3}, {1, 1, 1}));
}

TEST(NpyTest, RefusesEveryTruncation) {
  for (const char* name : {"f4", "version2", "version3", "fortran", "scalar"}) {
    const std::string whole = ReadFile(Fixture(name));
    for (size_t length = 0; length < whole.size(); ++length) {
      // A copy of just that size, so that the sanitizer sees any read behind it.
      const std::vector<char> part(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
      EXPECT_NE(ErrorOf({part.data(), part.size()}), "no error") << name << " at " << length;
    }
    EXPECT_THAT(ErrorOf(whole + "x"), HasSubstr("bytes of values do not make"));
  }
}

TEST(NpyTest, RefusesWhatIsNoHeader) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("not a .npy file"));
  EXPECT_THAT(ErrorOf("PK\x03\x04 an archive"), HasSubstr("not a .npy file"));
  EXPECT_THAT(ErrorOf(std::string("\x93NUMPY\x04\x00\x00\x00", 10)), HasSubstr("version 4.0"));
  EXPECT_THAT(ErrorOf(std::string("\x93NUMPY\x01\x01\x00\x00", 10)), HasSubstr("version 1.1"));
  // A length of 4 GB.
  EXPECT_THAT(ErrorOf(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14)),
              HasSubstr("truncated"));
}

TEST(NpyTest, RefusesHostileHeaders) {
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (), }";
  ASSERT_EQ(ErrorOf(WithHeader(good, "1234")), "no error");
  ASSERT_EQ(
      ErrorOf(WithHeader("{\"shape\":(1 , ),'descr' :'<f4', 'fortran_order':True}\n", "1234")),
      "no error");
  const std::string start = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
  for (const std::string& bad : std::vector<std::string>{
           "",
           "{",
           "{}",
           "{,}",
           "None",
           "__import__('os').system('true')",
           "{'descr': '<f4', 'fortran_order': False}",
           "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
           "{'descr': <f4, 'fortran_order': False, 'shape': ()}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'shape': ()}",
           "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': ()}",
           "{'descr': '<f4' 'fortran_order': False, 'shape': ()}",
           "{'descr': '<f4, 'fortran_order': False, 'shape': ()}",
           good + "x",
           good + std::string(1, '\0'),
           start + "1}",
           start + "(1)}",
           start + "(,)}",
           start + "(-1,)}",
           start + "(1.0,)}",
           start + "(0x1,)}",
           start + "(1 2)}",
           start + "(1*1,)}",
           start + "((1,),)}",
           start + "(len('x'),)}",
           start + "(1,",
           start + "(99999999999999999999,)}",
           start + "(4294967296, 4294967296, 4294967296)}",
           start + "(2305843009213693953, 4)}",  // 2^61 + 1: the bytes overflow to 16
           start + "(1000000000000,)}",
           start + "(0, 9223372036854775807, 3)}",
           start + "(2,)}",
       }) {
    EXPECT_NE(ErrorOf(WithHeader(bad, "1234")), "no error") << bad;
  }
  std::string many;
  for (int axis = 0; axis < 65; ++axis) many += "1,";
  EXPECT_THAT(ErrorOf(WithHeader(start + "(" + many + ")}", "1234")), HasSubstr("too many axes"));
}

}  // namespace
}  // namespace fettle
