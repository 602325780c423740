#include "tests/support/onnx_testdata.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

namespace fettle {
namespace {

TEST(OnnxTestdataTest, SKIPME) {}

}  // namespace
}  // namespace fettle
