#pragma once

#include <memory>

#include "fettle/primitives/primitive.h"

// One maker a primitive, for primitive_list.cpp alone: who wants a primitive takes it from the
// list.

namespace fettle {

// reference.cpp
std::unique_ptr<Primitive> MakeReference();

}  // namespace fettle
