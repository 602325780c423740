#include "fettle/device/rapl_meter.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr const char* kPowercap = "/sys/class/powercap";
constexpr double kMicro = 1e-6;

// More than any package takes: a counter that seems to have moved faster was reset, not wrapped.
constexpr double kMostWatts = 2000;
constexpr double kMostJoulesAtOnce = 20;  // beyond that, for a counter that moves in steps

struct Zone {
  std::string name;  // "package-0"
  std::string file;  // its counter
  int64_t range_uj;  // at which it begins anew
  int64_t last_uj;
};

class RaplMeter : public EnergyMeter {
 public:
  RaplMeter(Environment& environment, std::vector<Zone> zones)
      : environment_(environment), zones_(std::move(zones)), last_read_(environment.Now()) {}

  std::string Description() const override {
    std::string text = "rapl: ";
    for (const Zone& zone : zones_) {
      if (&zone != &zones_.front()) text += ", ";
      text += zone.name;
    }
    return text;
  }

  // "Approximately 1 ms" (Intel's Software Developer's Manual, vol. 3, 15.10.3).
  std::chrono::nanoseconds UpdateInterval() const override { return std::chrono::milliseconds(1); }

  // The shortest time in which a counter may come round, halved.
  std::chrono::nanoseconds LongestPause() const override {
    int64_t range_uj = zones_.front().range_uj;
    for (const Zone& zone : zones_) range_uj = std::min(range_uj, zone.range_uj);
    const double seconds = static_cast<double>(range_uj) * kMicro / kMostWatts / 2;
    return std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9));
  }

  double ReadJoules() override {
    const auto now = environment_.Now();
    const double elapsed = std::chrono::duration<double>(now - last_read_).count();
    last_read_ = now;
    for (Zone& zone : zones_) joules_ += Advance(&zone, elapsed);
    return joules_;
  }

 private:
  double Advance(Zone* zone, double elapsed) {
    const FileText file = environment_.Read(zone->file);
    if (!file) {
      throw Error(ErrorKind::kDevice, Text(zone->file, ": ", file.error.message(),
                                           ": the energy meter is gone; measure again"));
    }
    const std::optional<int64_t> counter = LeadingInteger(file.text);
    if (!counter || *counter < 0) {
      throw Error(ErrorKind::kDevice, zone->file + ": holds no counter of energy");
    }
    int64_t delta_uj = *counter - zone->last_uj;
    if (delta_uj < 0) delta_uj += zone->range_uj;
    zone->last_uj = *counter;
    const double joules = static_cast<double>(delta_uj) * kMicro;
    if (joules < 0 || joules > kMostWatts * elapsed + kMostJoulesAtOnce) {
      throw Error(ErrorKind::kDevice, Text(zone->file, ": jumped by ", joules, " J within ",
                                           elapsed, " s: it was reset; measure again"));
    }
    return joules;
  }

  Environment& environment_;
  std::vector<Zone> zones_;
  std::chrono::nanoseconds last_read_;
  double joules_ = 0;
};

// Zones are named intel-rapl:PACKAGE and intel-rapl:PACKAGE:PART (on AMD too). A package's cores
// and graphics are parts of its count, its memory is not; psys is the whole board, the packages
// among it. Another interface to the same counters is named intel-rapl-mmio.
bool IsCounted(const std::string& folder, const std::string& name) {
  const auto colons = std::count(folder.begin(), folder.end(), ':');
  if (!folder.starts_with("intel-rapl:")) return false;
  return (colons == 1 && name.starts_with("package")) || (colons == 2 && name == "dram");
}

// Why the counter cannot be used, or nothing where it can.
std::optional<std::string> Open(Environment& environment, Zone* zone) {
  const FileText file = environment.Read(zone->file);
  if (file.error == std::errc::permission_denied) {
    return "permission denied; only root may read it, unless an administrator allows others to "
           "(chmod a+r)";
  }
  if (!file) return file.error.message();
  const std::optional<int64_t> counter = LeadingInteger(file.text);
  if (!counter || *counter < 0) return "it holds no counter of energy";
  if (zone->range_uj <= 0) return "max_energy_range_uj beside it does not say where it wraps";
  zone->last_uj = *counter;
  return std::nullopt;
}

}  // namespace

std::unique_ptr<EnergyMeter> FindRaplMeter(Environment& environment,
                                           std::vector<std::string>* refusals) {
  std::vector<Zone> zones;
  for (const std::string& folder : environment.List(kPowercap)) {
    const std::string path = Text(kPowercap, "/", folder);
    const std::string name = ReadLine(environment, path + "/name").value_or("");
    if (!IsCounted(folder, name)) continue;
    const int64_t range_uj = ReadInteger(environment, path + "/max_energy_range_uj").value_or(0);
    zones.push_back({name, path + "/energy_uj", range_uj, 0});
  }
  if (zones.empty()) {
    refusals->push_back(Text(kPowercap,
                             ": no RAPL counter of a package (the driver intel_rapl is "
                             "not loaded, or this is a virtual machine)"));
    return nullptr;
  }
  for (Zone& zone : zones) {
    if (const auto refusal = Open(environment, &zone)) {
      refusals->push_back(zone.file + ": " + *refusal);
      return nullptr;
    }
  }
  return std::make_unique<RaplMeter>(environment, std::move(zones));
}

}  // namespace fettle
