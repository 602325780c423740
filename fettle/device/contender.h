#pragma once

namespace fettle {

// Something whose time is measured: a kernel, a network, the work they are compared with.
class Contender {
 public:
  virtual ~Contender() = default;

  // Does the work once. Where it throws, it is out of the race and its measurement kFailed.
  virtual void Run() = 0;
};

}  // namespace fettle
