#include "table/filter.hpp"

#include <algorithm>
#include <optional>

#include "base/bitmap.hpp"
#include "json/number.hpp"

namespace shortlist::table {
namespace {

using Bits = std::span<std::uint64_t>;

struct Literal {
  bool is_text = false;
  double number = 0.0;
  std::string_view text;
};

enum class Comparison { equal, not_equal, less, less_equal, greater, greater_equal };

[[nodiscard]] bool name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
[[nodiscard]] bool name_part(char c) noexcept { return name_start(c) || (c >= '0' && c <= '9') || c == '.'; }

template <class Predicate>
void set_where(Bits bits, std::size_t n_rows, Predicate passes) {
  for (std::size_t first = 0; first < n_rows; first += 64) {
    const std::size_t last = first + 64 < n_rows ? first + 64 : n_rows;
    std::uint64_t word = 0;
    for (std::size_t row = first; row < last; ++row) {
      word |= static_cast<std::uint64_t>(passes(row)) << (row - first);
    }
    bits[first / 64] |= word;
  }
}

void set_numbers(Bits bits, std::span<const double> numbers, Comparison comparison, double bound) {
  const auto scan = [&](auto passes) {
    set_where(bits, numbers.size(), [&](std::size_t i) { return passes(numbers[i]); });
  };
  switch (comparison) {
    case Comparison::equal:
      return scan([&](double x) { return x == bound; });
    case Comparison::not_equal:
      return scan([&](double x) { return x != bound; });
    case Comparison::less:
      return scan([&](double x) { return x < bound; });
    case Comparison::less_equal:
      return scan([&](double x) { return x <= bound; });
    case Comparison::greater:
      return scan([&](double x) { return x > bound; });
    case Comparison::greater_equal:
      return scan([&](double x) { return x >= bound; });
  }
}

// Rows one of whose codes passes; a missing one (-1) is never asked about.
template <class Predicate>
void set_codes(Bits bits, const Column& column, Predicate passes) {
  const std::span<const std::int32_t> codes = column.codes;
  if (column.kind == Column::Kind::text) {
    set_where(bits, codes.size(), [&](std::size_t i) { return codes[i] >= 0 && passes(codes[i]); });
    return;
  }
  set_where(bits, column.offsets.size() - 1, [&](std::size_t i) {
    const auto* const first = codes.data() + column.offsets[i];
    return std::any_of(first, codes.data() + column.offsets[i + 1], passes);
  });
}

// The values of a list after "in".
class Wanted {
 public:
  // `n_bytes` is the size of the list's text at most.
  Wanted(const Column& column, std::size_t n_bytes, Arena& arena) : column_(column) {
    if (column.kind == Column::Kind::number) {
      numbers_ = arena.array<double>(n_bytes / 2 + 1);  // a digit and a comma each
      return;
    }
    codes_ = arena.array<std::uint64_t>(bitmap_words(column.texts.size()));
    std::fill(codes_.begin(), codes_.end(), std::uint64_t{0});
  }

  void add(const Literal& value) noexcept {
    if (column_.kind == Column::Kind::number) {
      numbers_[n_numbers_++] = value.number;
    } else if (const auto code = column_.lookup.find(column_.texts, value.text)) {
      set_bit(codes_.data(), *code);
    }
  }

  void set_rows(Bits bits) noexcept {
    if (column_.kind != Column::Kind::number) {
      set_codes(bits, column_,
                [&](std::int32_t code) { return test_bit(codes_.data(), static_cast<std::size_t>(code)); });
      return;
    }
    const std::span<double> sorted = numbers_.first(n_numbers_);
    std::sort(sorted.begin(), sorted.end());
    set_where(bits, column_.numbers.size(), [&](std::size_t i) {
      const auto found = std::lower_bound(sorted.begin(), sorted.end(), column_.numbers[i]);
      return found != sorted.end() && *found == column_.numbers[i];  // never of NaN
    });
  }

 private:
  const Column& column_;
  std::span<double> numbers_;
  std::size_t n_numbers_ = 0;
  std::span<std::uint64_t> codes_;
};

// Parses and evaluates in one pass; every sub-expression is a bitmap in the arena.
class Evaluator {
 public:
  Evaluator(std::string_view text, const Columns& columns, Arena& arena)
      : text_(text), columns_(columns), arena_(arena) {}

  [[nodiscard]] std::optional<Bits> run() {
    std::optional<Bits> bits = expression(0);
    if (!bits) return bits;
    skip_space();
    if (at_ != text_.size()) return fail("expected and, or, or the end of the expression");
    return bits;
  }
  [[nodiscard]] FilterError error() const noexcept { return {message_, at_, name_}; }

 private:
  std::nullopt_t fail(const char* message, std::string_view name = {}) noexcept {
    message_ = message;
    name_ = name;
    return std::nullopt;
  }
  void skip_space() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  // Takes `symbol` if it comes next.
  [[nodiscard]] bool take(std::string_view symbol) noexcept {
    skip_space();
    if (text_.substr(at_, symbol.size()) != symbol) return false;
    at_ += symbol.size();
    return true;
  }
  // The same for a word, which must end there.
  [[nodiscard]] bool take_word(std::string_view word) noexcept {
    skip_space();
    const std::size_t end = at_ + word.size();
    if (text_.substr(at_, word.size()) != word || (end < text_.size() && name_part(text_[end]))) return false;
    at_ = end;
    return true;
  }
  [[nodiscard]] Bits none() {
    const std::size_t n_words = bitmap_words(columns_.n_rows());
    Bits bits;
    if (spare_ != nullptr) {
      bits = {spare_, n_words};
      spare_ = reinterpret_cast<std::uint64_t*>(bits[0]);
    } else {
      bits = arena_.array<std::uint64_t>(n_words);
    }
    for (std::uint64_t& word : bits) word = 0;
    return bits;
  }
  void give_back(Bits bits) noexcept {
    if (bits.empty()) return;
    bits[0] = reinterpret_cast<std::uintptr_t>(spare_);
    spare_ = bits.data();
  }
  void negate(Bits bits) noexcept {
    const std::size_t n_rows = columns_.n_rows();
    for (std::uint64_t& word : bits) word = ~word;
    if (n_rows % 64 != 0) bits.back() &= (std::uint64_t{1} << (n_rows % 64)) - 1;
  }

  [[nodiscard]] std::optional<Bits> expression(std::size_t depth) {
    std::optional<Bits> left = conjunction(depth);
    while (left && take_word("or")) {
      const std::optional<Bits> right = conjunction(depth);
      if (!right) return right;
      for (std::size_t i = 0; i < left->size(); ++i) (*left)[i] |= (*right)[i];
      give_back(*right);
    }
    return left;
  }

  [[nodiscard]] std::optional<Bits> conjunction(std::size_t depth) {
    std::optional<Bits> left = term(depth);
    while (left && take_word("and")) {
      const std::optional<Bits> right = term(depth);
      if (!right) return right;
      for (std::size_t i = 0; i < left->size(); ++i) (*left)[i] &= (*right)[i];
      give_back(*right);
    }
    return left;
  }

  [[nodiscard]] std::optional<Bits> term(std::size_t depth) {
    if (depth == kMaxFilterDepth) return fail("nested too deep, at most 32 levels are taken");
    if (take_word("not")) {
      std::optional<Bits> bits = term(depth + 1);
      if (bits) negate(*bits);
      return bits;
    }
    if (!take("(")) return comparison();
    std::optional<Bits> bits = expression(depth + 1);
    if (bits && !take(")")) return fail("expected a closing parenthesis");
    return bits;
  }

  [[nodiscard]] std::optional<Bits> comparison() {
    if (++n_comparisons_ > kMaxFilterComparisons) return fail("more than 256 comparisons");
    skip_space();
    const std::size_t start = at_;
    if (at_ == text_.size() || !name_start(text_[at_])) return fail("expected the name of an item attribute");
    while (at_ < text_.size() && name_part(text_[at_])) ++at_;
    std::string_view name = text_.substr(start, at_ - start);
    if (name.starts_with("item.")) name.remove_prefix(5);
    const Column* const column = columns_.find(name);
    if (column == nullptr) {
      at_ = start;
      return fail("unknown item attribute", name);
    }
    const std::optional<Comparison> comparison = comparison_symbol();
    if (comparison) {
      const std::optional<Literal> value = literal(*column, name);
      if (!value) return std::nullopt;
      return compare(*column, *comparison, *value, name);
    }
    const bool negated = take_word("not");
    if (!take_word("in")) return fail("expected ==, !=, <, <=, >, >=, in or not in");
    std::optional<Bits> bits = any_of(*column, name);
    if (bits && negated) negate(*bits);
    return bits;
  }

  [[nodiscard]] std::optional<Comparison> comparison_symbol() noexcept {
    if (take("==")) return Comparison::equal;
    if (take("!=")) return Comparison::not_equal;
    if (take("<=")) return Comparison::less_equal;
    if (take(">=")) return Comparison::greater_equal;
    if (take("=")) return Comparison::equal;
    if (take("<")) return Comparison::less;
    if (take(">")) return Comparison::greater;
    return std::nullopt;
  }

  // However long the list, its column is read once.
  [[nodiscard]] std::optional<Bits> any_of(const Column& column, std::string_view name) {
    if (!take("[")) return fail("expected a list in brackets");
    Wanted wanted(column, text_.size() - at_, arena_);
    do {
      const std::optional<Literal> value = literal(column, name);
      if (!value) return std::nullopt;
      wanted.add(*value);
    } while (take(","));
    if (!take("]")) return fail("expected a comma or a closing bracket");
    const Bits bits = none();
    wanted.set_rows(bits);
    return bits;
  }

  [[nodiscard]] std::optional<Bits> compare(const Column& column, Comparison comparison, const Literal& value,
                                            std::string_view name) {
    if (column.kind == Column::Kind::number) {
      const Bits bits = none();
      set_numbers(bits, column.numbers, comparison, value.number);
      return bits;
    }
    if (comparison != Comparison::equal && comparison != Comparison::not_equal) {
      return fail("a text has no order, use ==, != or in", name);
    }
    const Bits bits = none();
    if (const auto code = column.lookup.find(column.texts, value.text)) {
      set_codes(bits, column,
                [wanted = static_cast<std::int32_t>(*code)](std::int32_t c) { return c == wanted; });
    }
    if (comparison == Comparison::not_equal) negate(bits);
    return bits;
  }

  [[nodiscard]] std::optional<Literal> literal(const Column& column, std::string_view name) {
    skip_space();
    const std::size_t start = at_;
    const std::optional<Literal> value = any_literal();
    if (!value) return value;
    if (value->is_text == (column.kind == Column::Kind::number)) {
      at_ = start;
      return fail(value->is_text ? "this attribute holds numbers, expected a number"
                                 : "this attribute holds texts, expected a text in quotes",
                  name);
    }
    return value;
  }

  [[nodiscard]] std::optional<Literal> any_literal() {
    if (take_word("true")) return Literal{false, 1.0, {}};
    if (take_word("false")) return Literal{false, 0.0, {}};
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) return quoted();
    const json::Number number = json::read_number(text_.data() + at_, text_.data() + text_.size());
    if (number.kind == json::Number::Kind::invalid) return fail("expected a number, or a text in quotes");
    if (number.kind == json::Number::Kind::out_of_range) return fail("a number beyond the range of float64");
    at_ = static_cast<std::size_t>(number.end - text_.data());
    const bool integer = number.kind == json::Number::Kind::integer;
    return Literal{false, integer ? static_cast<double>(number.integer) : number.real, {}};
  }

  // A backslash takes the next character as it is.
  [[nodiscard]] std::optional<Literal> quoted() {
    const char quote = text_[at_++];
    const std::size_t start = at_;
    std::size_t n_backslashes = 0;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] != '\\' || at_ + 1 == text_.size()) continue;
      ++n_backslashes;
      ++at_;
    }
    if (at_ == text_.size()) return fail("a text without its closing quote");
    const std::string_view inside = text_.substr(start, at_++ - start);
    return Literal{true, 0.0, n_backslashes == 0 ? inside : without_backslashes(inside, n_backslashes)};
  }

  [[nodiscard]] std::string_view without_backslashes(std::string_view text, std::size_t n_backslashes) {
    const std::span<char> copy = arena_.array<char>(text.size() - n_backslashes);
    std::size_t from = 0;
    for (char& c : copy) {
      from += text[from] == '\\';
      c = text[from++];
    }
    return {copy.data(), copy.size()};
  }

  std::string_view text_;
  const Columns& columns_;
  Arena& arena_;
  std::size_t at_ = 0;
  std::size_t n_comparisons_ = 0;
  std::uint64_t* spare_ =
      nullptr;  // bitmaps to use again, each with the address of the next in its first word
  const char* message_ = nullptr;
  std::string_view name_;
};

}  // namespace

std::span<std::uint64_t> filter_rows(std::string_view expression, const Columns& columns, Arena& arena,
                                     FilterError& error) {
  if (expression.size() > kMaxFilterBytes) {
    error = {"longer than 8192 bytes", kMaxFilterBytes, {}};
    return {};
  }
  Evaluator evaluator(expression, columns, arena);
  const std::optional<Bits> bits = evaluator.run();
  if (!bits) {
    error = evaluator.error();
    return {};
  }
  return *bits;
}

}  // namespace shortlist::table
