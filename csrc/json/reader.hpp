// A strict JSON reader (RFC 8259) that keeps everything in an arena: no heap, depth capped, UTF-8 checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.hpp"

namespace shortlist::json {

inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxBytes = std::size_t{1} << 26;

enum class Type : std::uint8_t { null, boolean, integer, number, string, array, object };

// "a string", "an array", ...: for messages.
[[nodiscard]] const char* type_name(Type type) noexcept;

// One node of the tape. An array or object is followed by its children, an object's as key, value, key, ...
struct Node {
  union {
    double number;
    std::int64_t integer;
    const char* text;
    bool boolean;
  };
  std::uint32_t size;       // bytes of a string, elements of an array, members of an object
  std::uint32_t next : 28;  // nodes from here to the next sibling
  std::uint32_t type : 4;
};
static_assert(sizeof(Node) == 16);

struct Member;

// A view of one node; as cheap to copy as a pointer, valid as long as the arena and the parsed text.
class Value {
 public:
  explicit Value(const Node* node) noexcept : node_(node) {}

  [[nodiscard]] Type type() const noexcept { return static_cast<Type>(node_->type); }
  [[nodiscard]] bool is(Type wanted) const noexcept { return type() == wanted; }
  [[nodiscard]] bool is_number() const noexcept { return is(Type::integer) || is(Type::number); }

  // Each requires its type; number() also takes an integer.
  [[nodiscard]] bool boolean() const noexcept { return node_->boolean; }
  [[nodiscard]] std::int64_t integer() const noexcept { return node_->integer; }
  [[nodiscard]] double number() const noexcept {
    return is(Type::integer) ? static_cast<double>(node_->integer) : node_->number;
  }
  [[nodiscard]] std::string_view string() const noexcept { return {node_->text, node_->size}; }
  [[nodiscard]] std::size_t size() const noexcept { return node_->size; }

  class ElementIterator;
  class MemberIterator;
  template <class Iterator>
  struct Range {
    const Node* first;
    const Node* last;
    [[nodiscard]] Iterator begin() const noexcept { return Iterator(first); }
    [[nodiscard]] Iterator end() const noexcept { return Iterator(last); }
  };
  [[nodiscard]] Range<ElementIterator> array() const noexcept { return {node_ + 1, node_ + node_->next}; }
  [[nodiscard]] Range<MemberIterator> object() const noexcept { return {node_ + 1, node_ + node_->next}; }
  // The first member of that name.
  [[nodiscard]] std::optional<Value> find(std::string_view key) const noexcept;

 private:
  const Node* node_;
};

struct Member {
  std::string_view key;
  Value value;
};

class Value::ElementIterator {
 public:
  explicit ElementIterator(const Node* node) noexcept : node_(node) {}
  [[nodiscard]] Value operator*() const noexcept { return Value(node_); }
  ElementIterator& operator++() noexcept {
    node_ += node_->next;
    return *this;
  }
  [[nodiscard]] bool operator!=(const ElementIterator& other) const noexcept { return node_ != other.node_; }

 private:
  const Node* node_;
};

class Value::MemberIterator {
 public:
  explicit MemberIterator(const Node* node) noexcept : node_(node) {}
  [[nodiscard]] Member operator*() const noexcept { return {{node_->text, node_->size}, Value(node_ + 1)}; }
  MemberIterator& operator++() noexcept {
    node_ += 1 + (node_ + 1)->next;
    return *this;
  }
  [[nodiscard]] bool operator!=(const MemberIterator& other) const noexcept { return node_ != other.node_; }

 private:
  const Node* node_;
};

struct ParseError {
  const char* message = nullptr;  // a constant; null when the text was valid
  std::size_t offset = 0;         // bytes before the mistake
};

// Parses one document; the root's strings point into `text` or the arena. Throws only std::bad_alloc.
// On a mistake the result is empty and `error` says what and where.
[[nodiscard]] std::optional<Value> parse(std::string_view text, Arena& arena, ParseError& error);

}  // namespace shortlist::json
