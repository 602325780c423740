#include "fettle/device/energy_measurer.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <string>
#include <utility>

#include "fettle/core/random.h"

namespace fettle {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kLongestPause = std::chrono::seconds(1);
constexpr double kMilli = 1e3;

struct Window {
  double joules = 0;
  double seconds = 0;
  int64_t runs = 0;

  double Watts() const { return joules / seconds; }
};

// What one contender came to, trial by trial.
struct Account {
  std::vector<double> total_mj, active_mj;
  int64_t runs = 0;
  std::string failure;
};

// What a contender threw, apart from what the meter throws.
struct ContenderFailure {
  std::string what;
};

void RunOnce(Contender* contender) {
  try {
    contender->Run();
  } catch (const std::exception& error) {
    throw ContenderFailure{error.what()};
  }
}

// One call of EnergyMeasurer::Measure.
class Session {
 public:
  Session(Environment& environment, EnergyMeter& meter, std::span<Contender* const> contenders,
          const EnergyOptions& options)
      : environment_(environment),
        meter_(meter),
        contenders_(contenders),
        random_(options.seed),
        window_(std::max(options.window, meter.UpdateInterval() * options.min_updates)),
        pause_(std::clamp<nanoseconds>(meter.LongestPause(), nanoseconds(1), kLongestPause)),
        accounts_(contenders.size()) {}

  void RunTrial() {
    if (idle_watts_.empty()) idle_watts_.push_back(Idle().Watts());
    std::vector<Window> windows(contenders_.size());
    for (const size_t i : random_.Permutation(contenders_.size())) {
      if (!accounts_[i].failure.empty()) continue;
      try {
        windows[i] = Running(contenders_[i]);
      } catch (const ContenderFailure& failure) {
        accounts_[i].failure = failure.what;
      }
    }
    idle_watts_.push_back(Idle().Watts());
    const double baseline = (idle_watts_[idle_watts_.size() - 2] + idle_watts_.back()) / 2;
    for (size_t i = 0; i < contenders_.size(); ++i) Book(windows[i], baseline, &accounts_[i]);
  }

  std::vector<Energy> Energies() const {
    std::vector<Energy> energies;
    for (const Account& account : accounts_) {
      Energy energy;
      energy.meter = meter_.Description();
      energy.runs = account.runs;
      energy.failure = account.failure;
      energy.idle_w = *MedianInterval(idle_watts_);
      if (account.failure.empty()) {
        energy.total_mj = *MedianInterval(account.total_mj);
        energy.active_mj = *MedianInterval(account.active_mj);
      }
      energies.push_back(std::move(energy));
    }
    return energies;
  }

 private:
  // A window of doing nothing.
  Window Idle() {
    return Open([&](nanoseconds left) {
      environment_.Sleep(std::min(left, pause_));
      return 0;
    });
  }

  Window Running(Contender* contender) {
    RunOnce(contender);  // what is new to it is not what it costs
    return Open([&](nanoseconds) {
      RunOnce(contender);
      return 1;
    });
  }

  // Does the work until the window is over, and reads the meter often enough.
  template <typename Work>
  Window Open(const Work& work) {
    Window window;
    const double joules = meter_.ReadJoules();
    const nanoseconds start = environment_.Now();
    nanoseconds now = start, last_read = start;
    while (now - start < window_) {
      window.runs += work(window_ - (now - start));
      now = environment_.Now();
      if (now - last_read < pause_) continue;
      meter_.ReadJoules();
      last_read = now;
    }
    window.joules = meter_.ReadJoules() - joules;
    window.seconds = std::chrono::duration<double>(environment_.Now() - start).count();
    return window;
  }

  static void Book(const Window& window, double baseline_watts, Account* account) {
    if (!account->failure.empty()) return;
    const auto runs = static_cast<double>(window.runs);
    account->runs += window.runs;
    account->total_mj.push_back(kMilli * window.joules / runs);
    account->active_mj.push_back(kMilli * (window.joules - baseline_watts * window.seconds) / runs);
  }

  Environment& environment_;
  EnergyMeter& meter_;
  std::span<Contender* const> contenders_;
  Random random_;
  nanoseconds window_;
  nanoseconds pause_;  // between two readings of the meter, about
  std::vector<Account> accounts_;
  std::vector<double> idle_watts_;  // before the first trial and after each
};

}  // namespace

std::vector<Energy> EnergyMeasurer::Measure(std::span<Contender* const> contenders,
                                            const EnergyOptions& options) {
  assert(options.trials >= kFewestEnergyTrials && options.window > nanoseconds(0));
  if (contenders.empty()) return {};
  Session session(environment_, meter_, contenders, options);
  for (int trial = 0; trial < options.trials; ++trial) session.RunTrial();
  return session.Energies();
}

}  // namespace fettle
