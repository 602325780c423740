#include <oneapi/dnnl/dnnl.hpp>

#include "fettle/core/error.h"
#include "fettle/primitives/library_versions.h"

namespace fettle {

std::string OnednnVersion() {
  const dnnl_version_t* version = dnnl::version();
  return Text(version->major, ".", version->minor, ".", version->patch);
}

}  // namespace fettle
