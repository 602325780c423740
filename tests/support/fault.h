#pragma once

#include <gtest/gtest.h>

#include <concepts>
#include <optional>
#include <string>

#include "fettle/core/error.h"

namespace fettle {

// What the action's Error says, which must be of that kind if one is named; "none" where it throws
// none.
template <std::invocable Action>
std::string FaultOf(const Action& action, std::optional<ErrorKind> kind = std::nullopt) {
  try {
    action();
  } catch (const Error& error) {
    if (kind) {
      EXPECT_EQ(error.kind(), *kind) << error.what();
    }
    return error.what();
  }
  return "none";
}

}  // namespace fettle
