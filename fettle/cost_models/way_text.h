#pragma once

#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/layout.h"

namespace fettle {

// A layer and how it is computed, as one text to look up costs by. Another version of an
// implementation is another one.
inline std::string WayText(const std::string& layer_key, const std::string& implementation,
                           int version, const std::vector<Layout>& inputs, Layout output) {
  std::string text = Text(layer_key, " | ", implementation, " ", version);
  for (const Layout layout : inputs) text.append(" ").append(NameOf(layout));
  return text.append(" ").append(NameOf(output));
}

}  // namespace fettle
