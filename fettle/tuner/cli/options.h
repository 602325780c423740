#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fettle {

// The options and arguments of one subcommand: declared, parsed, explained. Faults are Errors of
// kind kUsage that name the option and the remedy.
class Options {
 public:
  // `usage` is what stands behind the program's name: "run DIR|MODEL.onnx --input FILE.npy"; the
  // summary one or a few sentences; examples are whole command lines.
  Options(std::string usage, std::string summary, std::vector<std::string> examples);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void AddArgument(const std::string& name, const std::string& help);  // required, in order
  void AddFlag(const std::string& name, const std::string& help);
  void AddValue(const std::string& name, const std::string& placeholder, const std::string& help);
  void AddValues(const std::string& name, const std::string& placeholder,
                 const std::string& help);  // may be given several times

  // False where --help was among them: then Help() is to be printed and nothing else done.
  bool Parse(std::span<const std::string> arguments);
  std::string Help() const;

  bool Has(const std::string& name) const;  // given, with or without a value
  std::string Get(const std::string& name, const std::string& otherwise = "") const;
  std::vector<std::string> GetAll(const std::string& name) const;
  int64_t GetInteger(const std::string& name, int64_t otherwise, int64_t least, int64_t most) const;
  double GetNumber(const std::string& name, double otherwise, double least, double most) const;
  // "90s", "10m", "2h" or plain seconds.
  double GetSeconds(const std::string& name, double otherwise) const;
  // One of `allowed`, the first of which is the default.
  std::string GetChoice(const std::string& name, const std::vector<std::string>& allowed) const;

 private:
  bool IsEmpty(const std::string& name) const;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fettle
