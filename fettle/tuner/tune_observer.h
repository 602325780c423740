#pragma once

#include <string>

namespace fettle {

// Who watches a session, and may stop it.
class TuneObserver {
 public:
  virtual ~TuneObserver() = default;
  virtual void Note(const std::string& line) = 0;    // worth keeping
  virtual void Status(const std::string& line) = 0;  // what is going on
  virtual bool ShouldStop() = 0;

  // Throws Error (kInterrupted) where it should.
  void StopIfAsked();
};

}  // namespace fettle
