#pragma once

#include <map>
#include <string>

#include "fettle/core/target.h"

namespace fettle {

// The libraries that primitives call, with the versions that are running: "onednn" -> "2.6.3". The
// names are those that implementations' names begin with.
std::map<std::string, std::string> LibraryVersions();

// One a library, each in a file named after it.
std::string OnednnVersion();
std::string OpenblasVersion();

// OpenBLAS chooses its kernels when it is loaded, by the processor's model, and takes those of SSE3
// where it is too old to know it. Then this is the name of the core whose kernels the target can
// run, for the environment variable OPENBLAS_CORETYPE; else empty.
std::string BetterOpenblasCore(const Target& target);

}  // namespace fettle
