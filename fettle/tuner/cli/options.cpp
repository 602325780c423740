#include "fettle/tuner/cli/options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <charconv>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/core/joined_text.h"

namespace fettle {
namespace {

namespace po = boost::program_options;

template <typename... Parts>
Error BadUsage(const Parts&... parts) {
  return Error(ErrorKind::kUsage, Text(parts...));
}

template <typename T>
std::optional<T> ParseWhole(std::string_view text) {
  T value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Wide text in lines of at most 100 characters.
std::string Wrapped(const std::string& text, size_t indent) {
  std::string result, line(indent, ' ');
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (line.size() + word.size() + 1 > 100 && line.size() > indent) {
      result.append(line).append("\n");
      line.assign(indent, ' ');
    }
    if (line.size() > indent) line.append(" ");
    line.append(word);
  }
  return result.append(line).append("\n");
}

}  // namespace

struct Options::State {
  struct Argument {
    std::string name, help;
  };
  struct Option {
    std::string name, placeholder, help;
  };

  std::string usage, summary;
  std::vector<std::string> examples;
  std::vector<Argument> arguments;
  std::vector<Option> options;
  po::options_description description;
  po::variables_map values;
};

Options::Options(std::string usage, std::string summary, std::vector<std::string> examples)
    : state_(std::make_unique<State>()) {
  state_->usage = std::move(usage);
  state_->summary = std::move(summary);
  state_->examples = std::move(examples);
  AddFlag("help", "Prints this.");
}

Options::~Options() = default;

void Options::AddArgument(const std::string& name, const std::string& help) {
  state_->arguments.push_back({name, help});
}

void Options::AddFlag(const std::string& name, const std::string& help) {
  state_->options.push_back({name, "", help});
  state_->description.add_options()(name.c_str(), help.c_str());
}

void Options::AddValue(const std::string& name, const std::string& placeholder,
                       const std::string& help) {
  state_->options.push_back({name, placeholder, help});
  state_->description.add_options()(name.c_str(), po::value<std::string>(), help.c_str());
}

void Options::AddValues(const std::string& name, const std::string& placeholder,
                        const std::string& help) {
  state_->options.push_back({name, placeholder, help});
  state_->description.add_options()(
      name.c_str(), po::value<std::vector<std::string>>()->composing(), help.c_str());
}

bool Options::Parse(std::span<const std::string> arguments) {
  if (std::ranges::find(arguments, "--help") != arguments.end() ||
      std::ranges::find(arguments, "-h") != arguments.end()) {
    return false;
  }
  po::options_description all;
  all.add(state_->description);
  po::positional_options_description places;
  for (const auto& argument : state_->arguments) {
    all.add_options()(argument.name.c_str(), po::value<std::string>());
    places.add(argument.name.c_str(), 1);
  }
  const std::string try_help =
      Text("; see fettle ", state_->usage.substr(0, state_->usage.find(' ')), " --help");
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser({arguments.begin(), arguments.end()})
                  .options(all)
                  .positional(places)
                  .style(style)
                  .run(),
              state_->values);
  } catch (const po::too_many_positional_options_error&) {
    throw BadUsage("too many arguments, ", state_->arguments.size(), " expected", try_help);
  } catch (const po::error& error) {
    throw BadUsage(error.what(), try_help);
  }
  for (const auto& argument : state_->arguments) {
    if (Get(argument.name).empty()) throw BadUsage(argument.name, " is missing", try_help);
  }
  for (const auto& option : state_->options) {
    if (!option.placeholder.empty() && IsEmpty(option.name))
      throw BadUsage("--", option.name, ": a value is missing", try_help);
  }
  return true;
}

std::string Options::Help() const {
  std::string text = Text("usage: fettle ", state_->usage, "\n\n", Wrapped(state_->summary, 0));
  const auto entry = [&](const std::string& head, const std::string& help) {
    text.append(Text("  ", head, "\n", Wrapped(help, 6)));
  };
  if (!state_->arguments.empty()) text.append("\narguments:\n");
  for (const auto& argument : state_->arguments) entry(argument.name, argument.help);
  text.append("\noptions:\n");
  for (const auto& option : state_->options) {
    entry(Text("--", option.name, option.placeholder.empty() ? "" : " ", option.placeholder),
          option.help);
  }
  text.append(state_->examples.size() == 1 ? "\nexample:\n" : "\nexamples:\n");
  for (const std::string& example : state_->examples) text.append(Text("  ", example, "\n"));
  return text;
}

// Given, but as nothing: '--db ""', which is most often a variable that is not set.
bool Options::IsEmpty(const std::string& name) const {
  if (!Has(name)) return false;
  const boost::any& value = state_->values[name].value();
  if (const auto* text = boost::any_cast<std::string>(&value)) return text->empty();
  const auto* list = boost::any_cast<std::vector<std::string>>(&value);
  return list != nullptr && std::ranges::find(*list, "") != list->end();
}

bool Options::Has(const std::string& name) const { return state_->values.count(name) > 0; }

std::string Options::Get(const std::string& name, const std::string& otherwise) const {
  return Has(name) ? state_->values[name].as<std::string>() : otherwise;
}

std::vector<std::string> Options::GetAll(const std::string& name) const {
  return Has(name) ? state_->values[name].as<std::vector<std::string>>()
                   : std::vector<std::string>{};
}

int64_t Options::GetInteger(const std::string& name, int64_t otherwise, int64_t least,
                            int64_t most) const {
  if (!Has(name)) return otherwise;
  const std::optional<int64_t> value = ParseWhole<int64_t>(Get(name));
  if (!value || *value < least || *value > most) {
    throw BadUsage("--", name, " ", Get(name), ": a whole number from ", least, " to ", most,
                   " is expected");
  }
  return *value;
}

double Options::GetNumber(const std::string& name, double otherwise, double least,
                          double most) const {
  if (!Has(name)) return otherwise;
  const std::optional<double> value = ParseWhole<double>(Get(name));
  if (!value || !(*value >= least && *value <= most)) {
    throw BadUsage("--", name, " ", Get(name), ": a number from ", least, " to ", most,
                   " is expected");
  }
  return *value;
}

double Options::GetSeconds(const std::string& name, double otherwise) const {
  if (!Has(name)) return otherwise;
  const std::string text = Get(name);
  std::string_view digits = text;
  double unit = 1;
  if (!digits.empty()) {
    const char suffix = digits.back();
    if (suffix == 's' || suffix == 'm' || suffix == 'h') digits.remove_suffix(1);
    if (suffix == 'm') unit = 60;
    if (suffix == 'h') unit = 3600;
  }
  const std::optional<double> value = ParseWhole<double>(digits);
  if (!value || !std::isfinite(*value) || *value <= 0) {
    throw BadUsage("--", name, " ", text, ": a duration such as 90s, 10m or 2h is expected");
  }
  return *value * unit;
}

std::string Options::GetChoice(const std::string& name,
                               const std::vector<std::string>& allowed) const {
  std::string value = Get(name, allowed.front());
  if (std::ranges::find(allowed, value) != allowed.end()) return value;
  throw BadUsage("--", name, " ", value, ": one of ", JoinedText(allowed), " is expected");
}

}  // namespace fettle
