#pragma once

#include "fettle/core/op.h"

namespace fettle {

// The operators of single numbers, in double precision: what they mean, for whoever needs values
// and not speed.
double Apply(const Activation& activation, double x);
double Apply(BinaryKind kind, double a, double b);

}  // namespace fettle
