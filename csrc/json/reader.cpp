#include "json/reader.hpp"

#include <cstring>

#include "json/number.hpp"
#include "json/utf8.hpp"

namespace shortlist::json {
namespace {

[[nodiscard]] bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Value of four hexadecimal digits, or -1.
[[nodiscard]] int hex4(const char* at) noexcept {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    const int nibble = c >= '0' && c <= '9'   ? c - '0'
                       : c >= 'a' && c <= 'f' ? c - 'a' + 10
                       : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                              : -1;
    if (nibble < 0) return -1;
    value = value * 16 + nibble;
  }
  return value;
}

char* append_utf8(char* out, std::uint32_t code) noexcept {
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xC0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xE0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return out;
}

class Parser {
 public:
  Parser(std::string_view text, Arena& arena)
      : begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        arena_(arena),
        // Every node but the first takes two bytes of text at least: itself and a separator, or two brackets,
        // of which the closing ones may be missing.
        nodes_(arena.array<Node>(text.size() / 2 + kMaxDepth + 2).data()) {}

  [[nodiscard]] bool document() {
    if (!value(0)) return false;
    skip_space();
    return at_ == end_ || fail("text after the document");
  }
  [[nodiscard]] const Node* root() const noexcept { return nodes_; }
  [[nodiscard]] ParseError error() const noexcept {
    return {message_, static_cast<std::size_t>(at_ - begin_)};
  }

 private:
  [[nodiscard]] bool fail(const char* message) noexcept {
    message_ = message;
    return false;
  }
  void skip_space() noexcept {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  Node& push(Type type) noexcept {
    Node& node = nodes_[n_nodes_++];
    node.integer = 0;
    node.size = 0;
    node.next = 1;
    node.type = static_cast<std::uint32_t>(type) & 0xF;
    return node;
  }

  [[nodiscard]] bool value(std::size_t depth) {
    skip_space();
    if (at_ == end_) return fail("the text ends where a value is expected");
    switch (*at_) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string();
      case 't':
        return literal("true", Type::boolean, true);
      case 'f':
        return literal("false", Type::boolean, false);
      case 'n':
        return literal("null", Type::null, false);
      default:
        return number();
    }
  }

  [[nodiscard]] bool literal(std::string_view word, Type type, bool truth) {
    if (static_cast<std::size_t>(end_ - at_) < word.size() ||
        std::memcmp(at_, word.data(), word.size()) != 0) {
      return fail("not a JSON value");
    }
    at_ += word.size();
    push(type).boolean = truth;
    return true;
  }

  [[nodiscard]] bool number() {
    const Number read = read_number(at_, end_);
    switch (read.kind) {
      case Number::Kind::invalid:
        return fail("not a JSON value");
      case Number::Kind::out_of_range:
        return fail("a number beyond the range of float64");
      case Number::Kind::integer:
        push(Type::integer).integer = read.integer;
        break;
      case Number::Kind::real:
        push(Type::number).number = read.real;
        break;
    }
    at_ = read.end;
    return true;
  }

  [[nodiscard]] bool string() {
    const char* const start = ++at_;
    while (at_ != end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
    if (at_ == end_) return fail("a string without its closing quote");
    if (static_cast<unsigned char>(*at_) < 0x20) return fail("a control character in a string");
    if (*at_ == '\\') return escaped_string(start);
    Node& node = push(Type::string);
    node.text = start;
    node.size = static_cast<std::uint32_t>(at_ - start);
    ++at_;
    return true;
  }

  // From the first backslash on the text is copied, as an escape is longer than what it stands for.
  [[nodiscard]] bool escaped_string(const char* start) {
    const char* close = at_;
    while (close != end_ && *close != '"') close += *close == '\\' && close + 1 != end_ ? 2 : 1;
    if (close == end_) return fail("a string without its closing quote");
    char* const copy = arena_.array<char>(static_cast<std::size_t>(close - start)).data();
    char* out = copy;
    std::memcpy(out, start, static_cast<std::size_t>(at_ - start));
    out += at_ - start;
    while (at_ != close) {
      if (static_cast<unsigned char>(*at_) < 0x20) return fail("a control character in a string");
      if (*at_ != '\\') {
        *out++ = *at_++;
        continue;
      }
      if (!escape(close, out)) return false;
    }
    ++at_;
    Node& node = push(Type::string);
    node.text = copy;
    node.size = static_cast<std::uint32_t>(out - copy);
    return true;
  }

  [[nodiscard]] bool escape(const char* close, char*& out) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = at_[1];
    if (const std::size_t which = kLetters.find(letter); which != std::string_view::npos) {
      *out++ = kMeanings[which];
      at_ += 2;
      return true;
    }
    if (letter != 'u') return fail("an unknown escape in a string");
    const int high = close - at_ >= 6 ? hex4(at_ + 2) : -1;
    if (high < 0) return fail("an escape \\u without four hexadecimal digits");
    if (high < 0xD800 || high > 0xDFFF) {
      out = append_utf8(out, static_cast<std::uint32_t>(high));
      at_ += 6;
      return true;
    }
    const bool pair = high < 0xDC00 && close - at_ >= 12 && at_[6] == '\\' && at_[7] == 'u';
    const int low = pair ? hex4(at_ + 8) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return fail("half of a surrogate pair in a string");
    out = append_utf8(out, 0x10000u + ((static_cast<std::uint32_t>(high) & 0x3FF) << 10) +
                               (static_cast<std::uint32_t>(low) & 0x3FF));
    at_ += 12;
    return true;
  }

  // After the opening bracket: true when the closing one follows at once.
  [[nodiscard]] bool closed(char bracket) noexcept {
    ++at_;
    skip_space();
    if (at_ == end_ || *at_ != bracket) return false;
    ++at_;
    return true;
  }
  // After a child: 1 when the container closes, 0 when another child follows, -1 on a mistake.
  [[nodiscard]] int separator(char bracket) noexcept {
    skip_space();
    if (at_ != end_ && *at_ == bracket) {
      ++at_;
      return 1;
    }
    if (at_ == end_ || *at_ != ',') {
      message_ = "expected a comma or a closing bracket";
      return -1;
    }
    ++at_;
    return 0;
  }
  void close_container(std::size_t index, std::uint32_t size) noexcept {
    nodes_[index].size = size;
    nodes_[index].next = static_cast<std::uint32_t>(n_nodes_ - index) & 0xFFFFFFF;
  }

  [[nodiscard]] bool array(std::size_t depth) {
    if (depth == kMaxDepth) return fail("nested too deep, at most 32 levels are taken");
    const std::size_t index = n_nodes_;
    push(Type::array);
    std::uint32_t size = 0;
    for (bool done = closed(']'); !done;) {
      if (!value(depth + 1)) return false;
      ++size;
      const int next = separator(']');
      if (next < 0) return false;
      done = next == 1;
    }
    close_container(index, size);
    return true;
  }

  [[nodiscard]] bool object(std::size_t depth) {
    if (depth == kMaxDepth) return fail("nested too deep, at most 32 levels are taken");
    const std::size_t index = n_nodes_;
    push(Type::object);
    std::uint32_t size = 0;
    for (bool done = closed('}'); !done;) {
      skip_space();
      if (at_ == end_ || *at_ != '"') return fail("expected a member name in quotes");
      if (!string()) return false;
      skip_space();
      if (at_ == end_ || *at_ != ':') return fail("expected a colon after a member name");
      ++at_;
      if (!value(depth + 1)) return false;
      ++size;
      const int next = separator('}');
      if (next < 0) return false;
      done = next == 1;
    }
    close_container(index, size);
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  Arena& arena_;
  Node* nodes_;
  std::size_t n_nodes_ = 0;
  const char* message_ = nullptr;
};

}  // namespace

const char* type_name(Type type) noexcept {
  switch (type) {
    case Type::boolean:
      return "a boolean";
    case Type::integer:
      return "an integer";
    case Type::number:
      return "a number";
    case Type::string:
      return "a string";
    case Type::array:
      return "an array";
    case Type::object:
      return "an object";
    case Type::null:
      break;
  }
  return "null";
}

std::optional<Value> Value::find(std::string_view key) const noexcept {
  for (const Member member : object()) {
    if (member.key == key) return member.value;
  }
  return std::nullopt;
}

std::optional<Value> parse(std::string_view text, Arena& arena, ParseError& error) {
  if (text.size() > kMaxBytes) {
    error = {"longer than 64 MiB", kMaxBytes};
    return std::nullopt;
  }
  if (const std::size_t valid = valid_utf8_prefix(text); valid != text.size()) {
    error = {"not valid UTF-8", valid};
    return std::nullopt;
  }
  Parser parser(text, arena);
  if (!parser.document()) {
    error = parser.error();
    return std::nullopt;
  }
  return Value(parser.root());
}

}  // namespace shortlist::json
