#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/random.h"
#include "fettle/primitives/primitive_list.h"

// Every implementation of a layer must agree with the reference: all that a new primitive needs to
// be tested is to stand in the list.

namespace fettle {

struct Agreement {
  std::vector<std::string> compared;  // the names of the implementations that ran
  std::vector<std::string> faults;    // one line each; empty where all agree
};

// Runs every implementation that any primitive of the list offers for the spec, on the same random
// operands (from the seed; see random_tensor.h), and checks that
//   - the output, in its layout, is within ToleranceOf (primitives/tolerance.h) of the reference's,
//     its padding channels are zeros and no other byte of memory is written;
//   - the same holds when the output takes the memory of the input it may take;
//   - it needs no more workspace than it asks for, keeps nothing in it, leaves its inputs alone and
//     does not read its weights after Prepare;
//   - the implementation is described properly: as many layouts as inputs, ones they can have, and
//     a name by which the list finds the primitive and, with the layouts, no other has.
Agreement CheckAgreement(const LayerSpec& spec, const PrimitiveList& list, const Target& target,
                         uint64_t seed);

}  // namespace fettle
