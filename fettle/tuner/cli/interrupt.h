#pragma once

namespace fettle {

// While one lives, an interrupt (Ctrl-C) or a request to end is only noted, so that what is under
// way can be saved; a second one ends the process as usual. One at a time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
};

bool WasInterrupted();

// Throws Error (kInterrupted) with that message if it was.
void StopIfInterrupted(const char* message);

}  // namespace fettle
