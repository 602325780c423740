#pragma once

#include <string>

#include "fettle/tuner/session.h"

namespace fettle {

// The front as a table: id, latency with its interval and the speed-up over the original, accuracy
// on the validation split with the drop's interval, on the test split, memory, energy of an
// inference, size, what changed.
std::string FrontText(const Session& session);

}  // namespace fettle
