#pragma once

#include <map>
#include <string>

namespace fettle {

// The libraries that primitives call, with the versions that are running: "onednn" -> "2.6.3". The
// names are those that implementations' names begin with.
std::map<std::string, std::string> LibraryVersions();

// One a library, each in a file named after it.
std::string OnednnVersion();
std::string OpenblasVersion();

}  // namespace fettle
