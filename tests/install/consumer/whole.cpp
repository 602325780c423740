// Something of each library that another project links: what was installed is complete. The
// argument is the installed program, beside which the peer is found where there is one.
#include <iostream>

#include "fettle/core/error.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/tuner/plan_bench.h"
#include "fettle/tuner/tuning_space.h"

int main(int argc, char** argv) {
  const fettle::TuningSpace space(fettle::MakeArchitecture("resnet8", {1, 28, 28}, 10, 1), {});
  if (space.decisions().empty() || fettle::PrimitiveList::All().primitives().empty()) return 1;
  const std::filesystem::path program = argc > 1 ? argv[1] : "";
  try {
    std::cout << fettle::FindOnnxRuntimePeer(program) << '\n';
  } catch (const fettle::Error& error) {
    std::cout << error.what() << '\n';
  }
  return 0;
}
