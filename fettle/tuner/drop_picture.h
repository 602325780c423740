#pragma once

#include <string>
#include <vector>

#include "fettle/tuner/verified_point.h"

namespace fettle {

// A section of the report: what the additive model of accuracy predicted that each verified point
// would lose, before it was verified, against what it lost. HTML; empty where fewer than two points
// have a prediction.
std::string DropPicture(const std::vector<VerifiedPoint>& points);

}  // namespace fettle
