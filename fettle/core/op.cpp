#include "fettle/core/op.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <type_traits>
#include <utility>

#include "fettle/core/mixed_hash.h"

namespace fettle {
namespace {

// --- The attributes of each operator, once: visitor("name", member) for each in turn. ---

template <typename Visitor, typename W>
void VisitWindow(W& window, const Visitor& visit) {
  visit("kernel", window.kernel);
  visit("strides", window.strides);
  visit("dilations", window.dilations);
  visit("pads_begin", window.pads_begin);
  visit("pads_end", window.pads_end);
}

template <typename T, typename Visitor>
void VisitFields(T& op, const Visitor& visit) {
  using Kind = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Kind, Conv>) {
    VisitWindow(op.window, visit);
    visit("groups", op.groups);
  } else if constexpr (std::is_same_v<Kind, BatchNorm>) {
    visit("epsilon", op.epsilon);
  } else if constexpr (std::is_same_v<Kind, Gemm>) {
    visit("transpose_a", op.transpose_a);
    visit("transpose_b", op.transpose_b);
    visit("alpha", op.alpha);
    visit("beta", op.beta);
  } else if constexpr (std::is_same_v<Kind, Activation>) {
    visit("kind", op.kind);
    visit("alpha", op.alpha);
    visit("beta", op.beta);
  } else if constexpr (std::is_same_v<Kind, Pool>) {
    visit("kind", op.kind);
    VisitWindow(op.window, visit);
    visit("overhang", op.overhang);
    visit("count_include_pad", op.count_include_pad);
  } else if constexpr (std::is_same_v<Kind, ReduceMean>) {
    visit("axes", op.axes);
    visit("keep_dims", op.keep_dims);
  } else if constexpr (std::is_same_v<Kind, Binary>) {
    visit("kind", op.kind);
  } else if constexpr (std::is_same_v<Kind, Softmax> || std::is_same_v<Kind, Concat>) {
    visit("axis", op.axis);
  } else if constexpr (std::is_same_v<Kind, Split>) {
    visit("axis", op.axis);
    visit("sizes", op.sizes);
  } else if constexpr (std::is_same_v<Kind, Slice>) {
    visit("starts", op.starts);
    visit("ends", op.ends);
    visit("steps", op.steps);
  } else if constexpr (std::is_same_v<Kind, Reshape>) {
    visit("shape", op.shape);
  } else if constexpr (std::is_same_v<Kind, Transpose>) {
    visit("permutation", op.permutation);
  } else if constexpr (std::is_same_v<Kind, Pad>) {
    visit("mode", op.mode);
    visit("begin", op.begin);
    visit("end", op.end);
    visit("value", op.value);
  } else if constexpr (std::is_same_v<Kind, Resize>) {
    visit("mode", op.mode);
    visit("coordinates", op.coordinates);
    visit("rounding", op.rounding);
    visit("scales", op.scales);
    visit("sizes", op.sizes);
  } else if constexpr (std::is_same_v<Kind, Lrn>) {
    visit("size", op.size);
    visit("alpha", op.alpha);
    visit("beta", op.beta);
    visit("bias", op.bias);
  } else if constexpr (std::is_same_v<Kind, Cast>) {
    visit("dtype", op.dtype);
  } else if constexpr (std::is_same_v<Kind, InvertedResidual>) {
    visit("expands", op.expands);
    visit("expanded", op.expanded);
    VisitWindow(op.window, visit);
    visit("filtered", op.filtered);
  } else {
    static_assert(std::is_empty_v<Kind>, "list this operator's attributes above");
  }
}

// --- The names of the enumerations' values, in their order. ---

template <typename E>
constexpr auto kNames = std::array<std::string_view, 0>{};
template <>
constexpr auto kNames<ActivationKind> = std::array<std::string_view, 7>{
    "relu", "clip", "leaky_relu", "sigmoid", "hard_sigmoid", "hard_swish", "tanh"};
template <>
constexpr auto kNames<PoolKind> = std::array<std::string_view, 2>{"max", "average"};
template <>
constexpr auto kNames<BinaryKind> = std::array<std::string_view, 4>{"add", "sub", "mul", "div"};
template <>
constexpr auto kNames<PadMode> = std::array<std::string_view, 3>{"constant", "reflect", "edge"};
template <>
constexpr auto kNames<ResizeMode> = std::array<std::string_view, 2>{"nearest", "linear"};
template <>
constexpr auto kNames<ResizeCoordinates> = std::array<std::string_view, 4>{
    "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
template <>
constexpr auto kNames<NearestRounding> =
    std::array<std::string_view, 4>{"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};

// --- Text of a field's value, and back. ---

template <typename T>
constexpr bool kIsList = false;
template <typename T>
constexpr bool kIsList<std::vector<T>> = true;

using MaybeActivation = std::optional<Activation>;

template <typename T>
std::string ValueText(const T& value) {
  if constexpr (kIsList<T>) {
    if (value.empty()) return "none";
    std::string text;
    for (const auto& item : value) {
      if (!text.empty()) text += 'x';
      text += ValueText(item);
    }
    return text;
  } else if constexpr (std::is_same_v<T, MaybeActivation>) {
    if (!value) return "none";
    return ValueText(value->kind) + ':' + ValueText(value->alpha) + ':' + ValueText(value->beta);
  } else if constexpr (std::is_same_v<T, DType>) {
    return std::string(NameOf(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "1" : "0";
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(kNames<T>[static_cast<size_t>(value)]);
  } else {
    char digits[64];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
  }
}

template <typename T>
bool ParseValue(std::string_view text, T* value) {
  if constexpr (kIsList<T>) {
    value->clear();
    if (text == "none") return true;
    while (true) {
      const size_t end = text.find('x');
      if (!ParseValue(text.substr(0, end), &value->emplace_back())) return false;
      if (end == std::string_view::npos) return true;
      text.remove_prefix(end + 1);
    }
  } else if constexpr (std::is_same_v<T, MaybeActivation>) {
    value->reset();
    if (text == "none") return true;
    Activation& op = value->emplace();
    const size_t kind = text.find(':'), alpha = text.rfind(':');
    return kind < alpha && alpha != std::string_view::npos &&
           ParseValue(text.substr(0, kind), &op.kind) &&
           ParseValue(text.substr(kind + 1, alpha - kind - 1), &op.alpha) &&
           ParseValue(text.substr(alpha + 1), &op.beta);
  } else if constexpr (std::is_same_v<T, DType>) {
    const std::optional<DType> dtype = ParseDType(text);
    if (dtype) *value = *dtype;
    return dtype.has_value();
  } else if constexpr (std::is_same_v<T, bool>) {
    *value = text == "1";
    return text == "1" || text == "0";
  } else if constexpr (std::is_enum_v<T>) {
    for (size_t i = 0; i < kNames<T>.size(); ++i) {
      if (kNames<T>[i] == text) {
        *value = static_cast<T>(i);
        return true;
      }
    }
    return false;
  } else {
    const char* const end = text.data() + text.size();
    const auto [after, fault] = std::from_chars(text.data(), end, *value);
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(*value)) return false;
    }
    return fault == std::errc() && after == end && !text.empty();
  }
}

// Takes the value of `name=value` out of the comma-separated fields; false where it is not there.
bool TakeField(std::vector<std::string_view>* fields, std::string_view name,
               std::string_view* value) {
  for (auto field = fields->begin(); field != fields->end(); ++field) {
    if (field->size() > name.size() && field->starts_with(name) && (*field)[name.size()] == '=') {
      *value = field->substr(name.size() + 1);
      fields->erase(field);
      return true;
    }
  }
  return false;
}

std::vector<std::string_view> Fields(std::string_view text) {
  std::vector<std::string_view> fields;
  while (!text.empty()) {
    const size_t end = text.find(',');
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return fields;
}

template <typename T>
std::optional<Op> ParseAs(std::string_view inside) {
  T op;
  std::vector<std::string_view> fields = Fields(inside);
  bool is_sound = true;
  VisitFields(op, [&](std::string_view name, auto& member) {
    std::string_view value;
    if (TakeField(&fields, name, &value)) is_sound = ParseValue(value, &member) && is_sound;
  });
  if (!is_sound || !fields.empty()) return std::nullopt;
  return op;
}

template <size_t... I>
std::optional<Op> ParseAny(std::string_view name, std::string_view inside,
                           std::index_sequence<I...>) {
  std::optional<Op> op;
  ((std::variant_alternative_t<I, Op>::kName == name
        ? void(op = ParseAs<std::variant_alternative_t<I, Op>>(inside))
        : void()),
   ...);
  return op;
}

}  // namespace

int64_t WindowOutput(const Window& window, size_t axis, int64_t input) {
  const int64_t reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
  const int64_t room = input + window.pads_begin[axis] + window.pads_end[axis] - reach;
  return room < 0 ? 0 : room / window.strides[axis] + 1;
}

std::string_view NameOf(const Op& op) {
  return std::visit([](const auto& alternative) { return alternative.kName; }, op);
}

std::string OpText(const Op& op) {
  std::string inside;
  std::visit(
      [&](const auto& alternative) {
        VisitFields(alternative, [&](std::string_view name, const auto& member) {
          if (!inside.empty()) inside += ',';
          inside.append(name).append("=").append(ValueText(member));
        });
      },
      op);
  return std::string(NameOf(op)) + "(" + inside + ")";
}

std::optional<Op> ParseOp(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos || text.back() != ')') return std::nullopt;
  return ParseAny(text.substr(0, open), text.substr(open + 1, text.size() - open - 2),
                  std::make_index_sequence<std::variant_size_v<Op>>());
}

namespace {

// An attribute as whole numbers, one after another: take(number).
template <typename T, typename Take>
void VisitNumbers(const T& member, const Take& take) {
  if constexpr (std::is_same_v<T, float>) {
    take(std::bit_cast<uint32_t>(member));
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    take(static_cast<uint64_t>(member));
  } else if constexpr (std::is_same_v<T, MaybeActivation>) {
    take(member.has_value());
    if (member) {
      VisitFields(*member, [&](std::string_view, const auto& field) { VisitNumbers(field, take); });
    }
  } else {
    take(member.size());
    for (const auto& entry : member) VisitNumbers(entry, take);
  }
}

template <typename Take>
void VisitNumbersOf(const Op& op, const Take& take) {
  std::visit(
      [&](const auto& alternative) {
        VisitFields(alternative,
                    [&](std::string_view, const auto& member) { VisitNumbers(member, take); });
      },
      op);
}

}  // namespace

bool operator==(const Op& a, const Op& b) {
  if (a.index() != b.index()) return false;
  // Room for every attribute of the usual operators; a list's length comes before its entries, so
  // that the numbers of one operator are never the beginning of another's.
  std::array<uint64_t, 64> numbers;
  size_t count = 0;
  VisitNumbersOf(a, [&](uint64_t number) {
    if (count < numbers.size()) numbers[count] = number;
    ++count;
  });
  if (count > numbers.size()) return OpText(a) == OpText(b);
  size_t at = 0;
  bool are_same = true;
  VisitNumbersOf(b, [&](uint64_t number) {
    are_same = are_same && at < count && numbers[at] == number;
    ++at;
  });
  return are_same && at == count;
}

uint64_t HashOf(const Op& op) {
  uint64_t hash = op.index();
  VisitNumbersOf(op, [&](uint64_t number) { hash = MixedHash(hash, number); });
  return hash;
}

}  // namespace fettle
