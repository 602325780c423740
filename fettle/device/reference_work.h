#pragma once

#include <vector>

#include "fettle/device/contender.h"

namespace fettle {

// A fixed amount of arithmetic within the first-level cache, in one thread: its time shows the
// processor's frequency, throttling, and neighbours on the same core. It cannot show a memory bus
// that others fill.
class ReferenceWork : public Contender {
 public:
  ReferenceWork();

  void Run() override;

  const std::vector<float>& values() const { return values_; }

 private:
  std::vector<float> values_;
};

}  // namespace fettle
