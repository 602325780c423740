#pragma once

#include <vector>

#include "fettle/tuner/session.h"

namespace fettle {

// The points whose further training may pay: those that were trained and are on the front, or at
// most a point of accuracy behind it. The least trained first, the networks they started from
// included: a narrow candidate inherits the training of the wider ones that it was made from and
// adds its own, so that it may overtake them though they can do more.
std::vector<VerifiedPoint> WorthDeepening(const Session& session);

}  // namespace fettle
