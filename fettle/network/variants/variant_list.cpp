#include "fettle/network/variants/variant_list.h"

#include <string>

#include "fettle/core/error.h"
#include "fettle/network/variants/bottleneck.h"
#include "fettle/network/variants/bottleneck_group.h"
#include "fettle/network/variants/cp.h"
#include "fettle/network/variants/depthwise.h"
#include "fettle/network/variants/drop.h"
#include "fettle/network/variants/group.h"
#include "fettle/network/variants/group_pointwise.h"
#include "fettle/network/variants/prune.h"
#include "fettle/network/variants/spatial_svd.h"
#include "fettle/network/variants/svd.h"
#include "fettle/network/variants/tucker1.h"
#include "fettle/network/variants/tucker2.h"

namespace fettle {

std::span<const VariantKind> AllVariantKinds() {
  static constexpr VariantKind kKinds[] = {
      kPruneKind,           kDropKind,      kSvdKind,   kSpatialSvdKind,     kTucker1Kind,
      kTucker2Kind,         kCpKind,        kGroupKind, kGroupPointwiseKind, kBottleneckKind,
      kBottleneckGroupKind, kDepthwiseKind,
  };
  return kKinds;
}

std::unique_ptr<Variant> ParseVariant(std::string_view text) {
  VariantText parts(text);
  std::string known;
  for (const VariantKind& kind : AllVariantKinds()) {
    if (kind.name == parts.name()) return kind.parse(std::move(parts));
    known.append(known.empty() ? "" : ", ").append(kind.name);
  }
  throw Error(ErrorKind::kUsage, Text("variant '", text, "': no such kind; there are: ", known));
}

}  // namespace fettle
