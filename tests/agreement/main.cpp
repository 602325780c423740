// The implementations are compared as `fettle` runs them: OpenBLAS with the kernels it is told to.
#include <gtest/gtest.h>

#include "fettle/tuner/cli/tell_openblas.h"

int main(int argc, char** argv) {
  fettle::TellOpenblas(argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
