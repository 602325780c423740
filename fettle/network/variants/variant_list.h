#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "fettle/network/variants/variant.h"

namespace fettle {

// Every kind of variant there is. To add one, see CONTRIBUTING.md.
std::span<const VariantKind> AllVariantKinds();

// The variant of that canonical name. Throws an Error of kind kUsage that quotes the text: an
// unknown kind (with the known ones), a missing, unknown or senseless field.
std::unique_ptr<Variant> ParseVariant(std::string_view text);

}  // namespace fettle
