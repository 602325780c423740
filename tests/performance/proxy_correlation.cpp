// How well each accuracy proxy ranks candidates, judged by the accuracy on the validation images
// that they have after a short recovery, the same for all: Kendall's tau-b of each, with a
// bootstrap interval over the candidates. Candidates are drawn over all removed shares of
// multiplications.
//   proxy_correlation MODEL.onnx DATA FOLDER [CANDIDATES [STEPS]]
// Every number is kept in FOLDER/measurements.tsv as it becomes known, and not measured again
// when the command is run anew; FOLDER/README.md is written at the end.
#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/fingerprint.h"
#include "fettle/core/random.h"
#include "fettle/core/statistics.h"
#include "fettle/deploy/default_plan.h"
#include "fettle/network/macs.h"
#include "fettle/network/onnx/import.h"
#include "fettle/search/rank_correlation.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/evaluation/calibrate.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/tuner/accuracy_proxies.h"
#include "fettle/tuner/fixed_text.h"

namespace fettle {
namespace {

constexpr int64_t kTrainImages = 24'000, kCalibrationImages = 1000;
constexpr uint64_t kSeed = 1;

// What was measured, by name; each number once.
class Measurements {
 public:
  explicit Measurements(const std::filesystem::path& file) : file_(file) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const size_t tab = line.find('\t');
      if (tab == std::string::npos || in.eof()) continue;  // what a kill left of a line
      values_[line.substr(tab + 1)] = std::stod(line.substr(0, tab));
    }
  }

  template <typename Measure>
  double Get(const std::string& name, const Measure& measure) {
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    const double value = measure();
    std::ofstream(file_, std::ios::app) << std::setprecision(17) << value << '\t' << name << '\n';
    return values_[name] = value;
  }

 private:
  std::filesystem::path file_;
  std::map<std::string, double> values_;
};

// Widths drawn so that narrow networks are as frequent as wide ones: each candidate has an
// inclination of its own to narrow a group.
std::vector<Candidate> DrawCandidates(const TuningSpace& space, size_t count) {
  std::vector<Candidate> candidates;
  Random random(kSeed);
  while (candidates.size() < count) {
    const double inclination = random.Uniform(0.1, 0.9);
    Candidate candidate = space.space().Original();
    for (size_t i = 0; i < candidate.options.size(); ++i) {
      if (space.decisions()[i].kind != TuningDecision::Kind::kWidth) continue;
      const int options = space.space().decisions()[i].num_options;
      if (random.Chance(inclination)) {
        candidate.options[i] = static_cast<int>(random.Integer(1, options - 1));
      }
    }
    const bool is_new = std::ranges::find(candidates, candidate) == candidates.end();
    if (is_new && candidate != space.space().Original()) candidates.push_back(candidate);
  }
  return candidates;
}

struct Study {
  std::map<std::string, std::vector<double>> scores;  // by proxy
  std::vector<double> accuracies;
};

// tau-b with its 95 % percentile interval over resampled candidates.
Interval TauOf(const std::vector<double>& scores, const std::vector<double>& accuracies) {
  std::vector<double> harm;
  for (const double accuracy : accuracies) harm.push_back(-accuracy);
  std::vector<double> taus;
  Random random(kSeed);
  for (int resample = 0; resample < 1000; ++resample) {
    std::vector<double> x, y;
    for (size_t i = 0; i < scores.size(); ++i) {
      const size_t pick = random.Below(scores.size());
      x.push_back(scores[pick]);
      y.push_back(harm[pick]);
    }
    taus.push_back(KendallTau(x, y).value_or(0));
  }
  std::ranges::sort(taus);
  return {KendallTau(scores, harm).value_or(0), taus[24], taus[974]};
}

std::vector<double> Ranks(const std::vector<double>& values) {
  std::vector<double> ranks = MeanRanks(values);
  for (double& rank : ranks) rank /= static_cast<double>(values.size());
  return ranks;
}

// Ridge regression of the accuracies' ranks on the ranks of these proxies; each candidate is
// predicted from the others, so that none is judged by what it taught.
std::vector<double> Learned(const Study& study, const std::vector<std::string>& names) {
  std::vector<std::vector<double>> features;
  for (const std::string& name : names) features.push_back(Ranks(study.scores.at(name)));
  const std::vector<double> target = Ranks(study.accuracies);
  const size_t count = target.size(), width = names.size();
  std::vector<double> predicted;
  for (size_t left_out = 0; left_out < count; ++left_out) {
    std::vector<double> weights(width);
    const double ridge = 0.01 * static_cast<double>(count);
    for (int sweep = 0; sweep < 200; ++sweep) {  // coordinate descent
      for (size_t f = 0; f < width; ++f) {
        double products = 0, squares = ridge;
        for (size_t i = 0; i < count; ++i) {
          if (i == left_out) continue;
          double rest = -(target[i] - 0.5);  // harm
          for (size_t g = 0; g < width; ++g) {
            if (g != f) rest -= weights[g] * (features[g][i] - 0.5);
          }
          products += rest * (features[f][i] - 0.5);
          squares += (features[f][i] - 0.5) * (features[f][i] - 0.5);
        }
        weights[f] = products / squares;
      }
    }
    double score = 0;
    for (size_t f = 0; f < width; ++f) score += weights[f] * (features[f][left_out] - 0.5);
    predicted.push_back(score);
  }
  return predicted;
}

std::string Row(const std::string& name, bool is_additive, const std::string& meaning,
                const std::vector<double>& scores, const std::vector<double>& accuracies) {
  const Interval tau = TauOf(scores, accuracies);
  return Text("| ", name, " | ", FixedText(tau.value, 3), " [", FixedText(tau.low, 3), ", ",
              FixedText(tau.high, 3), "] | ",
              FixedText(SpearmanRho(scores, accuracies).value_or(0) * -1, 3), " | ",
              is_additive ? "yes" : "no", " | ", meaning, " |\n");
}

std::string PageOf(const Study& study, const std::string& conditions) {
  std::string page =
      Text("# Accuracy proxies against accuracy after recovery\n\n", conditions,
           "\n\n| proxy | Kendall's tau-b [95 %] | Spearman's rho | additive | what it is |\n"
           "|---|---|---|---|---|\n");
  std::vector<std::string> additive;
  for (const AccuracyProxy& proxy : AccuracyProxies()) {
    const std::string name(proxy.name);
    page += Row(name, proxy.is_additive, std::string(proxy.meaning), study.scores.at(name),
                study.accuracies);
    if (proxy.is_additive || name.starts_with("removed")) additive.push_back(name);
  }
  page +=
      Row("learned", false,
          "ridge regression on the ranks of the additive ones and the baselines, each candidate "
          "predicted from the others",
          Learned(study, additive), study.accuracies);
  return page;
}

void Run(const std::vector<std::string>& arguments) {
  const std::filesystem::path folder = arguments[2];
  const size_t count = arguments.size() > 3 ? std::stoul(arguments[3]) : 48;
  const double steps = arguments.size() > 4 ? std::stod(arguments[4]) : 60;
  std::filesystem::create_directories(folder);
  Measurements measurements(folder / "measurements.tsv");
  const PrimitiveList primitives = PrimitiveList::All();
  const Target target = HostTarget(2);
  const Graph model = ImportOnnx(arguments[0]);
  const Dataset train =
      LoadDataset(ParseDataSpec(arguments[1], DataSplit::kTrain), DataSample{kTrainImages, kSeed});
  const Dataset validation = LoadDataset(ParseDataSpec(arguments[1], DataSplit::kValidation));
  const Dataset calibration = Sampled(validation, {kCalibrationImages, kSeed});
  const TuningSpace space(model, {});
  Recovery recovery(space.original(), train, target);
  const Calibration statistics = Calibrate(space.original(), ValuesToCalibrate(space.original()),
                                           Sampled(train, {512, kSeed}), primitives, target);
  const ProxyContext context = {space, calibration, statistics, &recovery,
                                12,    kSeed,       primitives, target};
  const auto score = [&](const AccuracyProxy& proxy, const Candidate& candidate) {
    return measurements.Get(Text(proxy.name, " of ", CandidateText(candidate)),
                            [&] { return proxy.score(context, candidate); });
  };

  Study study;
  const std::vector<Candidate> candidates = DrawCandidates(space, count);
  double least_macs = 1;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    std::cerr << "\rcandidate " << i + 1 << " of " << count << std::flush;
    const double accuracy = measurements.Get(
        Text("accuracy after ", steps, " steps of ", CandidateText(candidate)), [&] {
          const Graph recovered =
              recovery.Run(space.Build(candidate, space.original(), &statistics), steps, kSeed);
          Executor executor(DefaultPlan(recovered, 100, DType::kF32, primitives, target),
                            primitives, target);
          return Evaluate(&executor, validation).top1.value;
        });
    study.accuracies.push_back(accuracy);
    for (const AccuracyProxy& proxy : AccuracyProxies()) {
      double sum = 0;
      const auto parts = proxy.is_additive ? SingleChangesOf(space.space(), candidate)
                                           : std::vector<Candidate>{candidate};
      // A single change that seems to help is noise, as it is to the search.
      for (const Candidate& part : parts) {
        const double harm = score(proxy, part);
        sum += proxy.is_additive ? std::max(0.0, harm) : harm;
      }
      study.scores[std::string(proxy.name)].push_back(sum);
      if (proxy.name == "removed_macs") least_macs = std::min(least_macs, 1 - sum);
    }
  }
  std::cerr << '\n';
  const auto [worst, best] = std::ranges::minmax_element(study.accuracies);
  const std::string page = PageOf(
      study,
      Text("Model ", arguments[0], ", data ", arguments[1], ": ", count,
           " candidates of random widths (the narrowest with ", FixedText(100 * least_macs, 0),
           " % of the multiplications), each recovered for ", steps, " steps of ", Recovery::kBatch,
           " images by distillation; their accuracies on the\n", validation.size(),
           " validation images go from ", FixedText(100 * *worst, 2), " to ",
           FixedText(100 * *best, 2), " %. Proxies saw ", calibration.size(),
           " of these images and, for glimpses, 12 steps of training.\nMade by:\n\n"
           "    build/release/tests/proxy_correlation ",
           arguments[0], " ", arguments[1], " FOLDER ", count, " ", steps));
  WriteFileAtomically(folder / "README.md", page);
  std::cout << page;
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3 || arguments.size() > 5) {
    std::cerr << "usage: proxy_correlation MODEL.onnx DATA FOLDER [CANDIDATES [STEPS]]\n";
    return 2;
  }
  try {
    fettle::Run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "proxy_correlation: " << error.what() << '\n';
    return 3;
  }
  return 0;
}
