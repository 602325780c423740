#pragma once

#include <string>

#include "fettle/tuner/session.h"

namespace fettle {

// A session as one HTML page that needs nothing else: accuracy against latency as a picture, with
// the intervals of both and the original marked; the front as a table; the choices for each layer;
// how the numbers were made.
std::string ReportHtml(const Session& session);

}  // namespace fettle
