#include <cblas.h>

#include "fettle/primitives/library_versions.h"

namespace fettle {

// "OpenBLAS 0.3.21 DYNAMIC_ARCH ..." gives "0.3.21".
std::string OpenblasVersion() {
  const std::string config = openblas_get_config();
  const size_t begin = config.find(' ') + 1;
  return config.substr(begin, config.find(' ', begin) - begin);
}

}  // namespace fettle
