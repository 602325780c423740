#include "fettle/tuner/cli/interrupt.h"

#include <signal.h>

#include <atomic>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// A signal handler can reach nothing but a global.
std::atomic<bool> was_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

struct sigaction previous_interrupt, previous_end;

void Note(int signal_number) {
  was_interrupted = true;
  signal(signal_number, SIG_DFL);
}

}  // namespace

InterruptScope::InterruptScope() {
  was_interrupted = false;
  struct sigaction action {};
  action.sa_handler = Note;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &previous_interrupt);
  sigaction(SIGTERM, &action, &previous_end);
}

InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &previous_interrupt, nullptr);
  sigaction(SIGTERM, &previous_end, nullptr);
}

bool WasInterrupted() { return was_interrupted; }

void StopIfInterrupted(const char* message) {
  if (was_interrupted) throw Error(ErrorKind::kInterrupted, message);
}

}  // namespace fettle
