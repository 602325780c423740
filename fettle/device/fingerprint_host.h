#pragma once

#include <map>
#include <string>

#include "fettle/core/fingerprint.h"
#include "fettle/core/target.h"
#include "fettle/device/environment.h"

namespace fettle {

// The fingerprint of the machine the environment shows, whose extensions `target` tells and whose
// kernels come from `libraries` ("onednn" -> "2.6.3"). What the machine does not tell is "unknown",
// zero or empty.
Fingerprint HostFingerprint(Environment& environment, const Target& target,
                            std::map<std::string, std::string> libraries);

}  // namespace fettle
