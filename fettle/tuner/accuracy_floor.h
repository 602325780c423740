#pragma once

#include <optional>
#include <vector>

#include "fettle/tuner/objective.h"
#include "fettle/tuner/verified_point.h"

namespace fettle {

// The accuracy that a network of so many predicted milliseconds must not clearly miss on its way
// through the validation images, or it is given up: that of `point` itself where it is a revision
// of it; else 2 points less than the best of those points that are surely faster, by a tenth at
// the least. Nothing where none is, or where something besides latency and accuracy is an
// objective: by memory or energy, which are not known yet, what is slower and less accurate may
// still win.
std::optional<double> AccuracyFloor(const VerifiedPoint& point, double predicted_ms,
                                    const std::vector<VerifiedPoint>& points,
                                    const std::vector<Objective>& objectives);

}  // namespace fettle
