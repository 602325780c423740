#include "fettle/primitives/library_versions.h"

namespace fettle {

std::map<std::string, std::string> LibraryVersions() {
  return {{"onednn", OnednnVersion()}, {"openblas", OpenblasVersion()}};
}

}  // namespace fettle
