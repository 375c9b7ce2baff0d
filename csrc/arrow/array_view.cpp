#include "arrow/array_view.hpp"

#include <bit>
#include <cstring>

#include "base/error.hpp"

namespace shortlist::arrow {
namespace {

// Rows whose 16-byte views no address space holds.
constexpr std::int64_t kMaxRows = std::int64_t{1} << 56;
constexpr std::size_t kInlineBytes = 12;
constexpr std::size_t kViewBytes = 16;

template <class T>
T load(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
std::size_t index_below(const std::byte* values, std::size_t at, std::size_t limit) noexcept {
  const T index = load<T>(values + at * sizeof(T));
  if constexpr (std::is_signed_v<T>) {
    if (index < 0) return limit;
  }
  const auto position = static_cast<std::uint64_t>(index);
  return position < limit ? static_cast<std::size_t>(position) : limit;
}

std::size_t index_at(Kind kind, const std::byte* values, std::size_t at, std::size_t limit) noexcept {
  switch (kind) {
    case Kind::int8:
      return index_below<std::int8_t>(values, at, limit);
    case Kind::int16:
      return index_below<std::int16_t>(values, at, limit);
    case Kind::int32:
      return index_below<std::int32_t>(values, at, limit);
    case Kind::int64:
      return index_below<std::int64_t>(values, at, limit);
    case Kind::uint8:
      return index_below<std::uint8_t>(values, at, limit);
    case Kind::uint16:
      return index_below<std::uint16_t>(values, at, limit);
    case Kind::uint32:
      return index_below<std::uint32_t>(values, at, limit);
    case Kind::uint64:
      return index_below<std::uint64_t>(values, at, limit);
    default:
      return limit;
  }
}

}  // namespace

ArrayView::ArrayView(const ArrowArray& array, Kind kind, std::int64_t begin, std::int64_t length,
                     const std::string& where)
    : kind_(kind), where_(where) {
  check_counts(array);
  if (begin < 0 || length < 0 || begin > array.length || length > array.length - begin) {
    fail("has " + std::to_string(array.length) + " rows, fewer than its table");
  }
  first_ = static_cast<std::size_t>(array.offset + begin);
  size_ = static_cast<std::size_t>(length);
  take_buffers(array);
}

ArrayView::ArrayView(const ArrowArray& array, Kind kind, const std::string& where)
    : ArrayView(array, kind, 0, array.length, where) {}

void ArrayView::check_counts(const ArrowArray& array) const {
  if (array.release == nullptr) fail("was released");
  if (array.length < 0 || array.length > kMaxRows) fail("length " + std::to_string(array.length));
  if (array.offset < 0 || array.offset > kMaxRows) fail("offset " + std::to_string(array.offset));
  if (array.null_count < -1 || array.null_count > array.length) {
    fail("null count " + std::to_string(array.null_count) + " of " + std::to_string(array.length) + " rows");
  }
  if (kind_ == Kind::null) return;
  const std::int64_t expected = is_text(kind_) ? 3 : 2;
  if (kind_ == Kind::utf8_view ? array.n_buffers < expected : array.n_buffers != expected) {
    fail(std::to_string(array.n_buffers) + " buffers, expected " + std::to_string(expected));
  }
  if (array.buffers == nullptr) fail("no buffers");
}

void ArrayView::take_buffers(const ArrowArray& array) {
  if (kind_ == Kind::null) return;
  buffers_ = array.buffers;
  if (array.null_count != 0) {
    validity_ = static_cast<const std::uint8_t*>(buffers_[0]);
    if (validity_ == nullptr && array.null_count > 0) {
      fail(std::to_string(array.null_count) + " nulls, and no bitmap that says which");
    }
  }
  values_ = static_cast<const std::byte*>(buffers_[1]);
  if (values_ == nullptr && size_ != 0) fail("no buffer of values");
  if (kind_ == Kind::utf8 || kind_ == Kind::large_utf8) data_ = static_cast<const std::byte*>(buffers_[2]);
  if (kind_ == Kind::utf8_view) {
    n_data_buffers_ = static_cast<std::size_t>(array.n_buffers - 3);
    data_sizes_ = static_cast<const std::byte*>(buffers_[array.n_buffers - 1]);
    if (data_sizes_ == nullptr && n_data_buffers_ != 0) fail("no sizes of its data buffers");
  }
}

std::size_t ArrayView::index(std::size_t row, std::size_t limit) const {
  const std::size_t found = index_at(kind_, values_, first_ + row, limit);
  if (found == limit) {
    fail("row " + std::to_string(row) + ": index outside its dictionary of " + std::to_string(limit));
  }
  return found;
}

std::string_view ArrayView::text(std::size_t row) const {
  const std::size_t at = first_ + row;
  if (kind_ == Kind::utf8) return offset_text<std::int32_t>(at);
  if (kind_ == Kind::large_utf8) return offset_text<std::int64_t>(at);
  return viewed_text(at);
}

template <class Offset>
std::string_view ArrayView::offset_text(std::size_t at) const {
  const auto begin = load<Offset>(values_ + at * sizeof(Offset));
  const auto end = load<Offset>(values_ + (at + 1) * sizeof(Offset));
  if (begin < 0 || end < begin) {
    fail("text offsets " + std::to_string(begin) + " and " + std::to_string(end));
  }
  if (begin == end) return {};
  if (data_ == nullptr) fail("no buffer of texts");
  return {reinterpret_cast<const char*>(data_ + begin), static_cast<std::size_t>(end - begin)};
}

std::string_view ArrayView::viewed_text(std::size_t at) const {
  const std::byte* const view = values_ + at * kViewBytes;
  const auto length = load<std::int32_t>(view);
  if (length < 0) fail("a text of length " + std::to_string(length));
  const auto size = static_cast<std::size_t>(length);
  if (size <= kInlineBytes) return {reinterpret_cast<const char*>(view + 4), size};
  const auto buffer = load<std::int32_t>(view + 8);
  const auto offset = load<std::int32_t>(view + 12);
  if (buffer < 0 || static_cast<std::size_t>(buffer) >= n_data_buffers_) {
    fail("a text in data buffer " + std::to_string(buffer) + " of " + std::to_string(n_data_buffers_));
  }
  const auto limit =
      load<std::int64_t>(data_sizes_ + static_cast<std::size_t>(buffer) * sizeof(std::int64_t));
  if (offset < 0 || limit < std::int64_t{offset} + length) {
    fail("a text at " + std::to_string(offset) + " of length " + std::to_string(length) +
         " in a data buffer of " + std::to_string(limit) + " bytes");
  }
  const auto* const data = static_cast<const char*>(buffers_[2 + buffer]);
  if (data == nullptr) fail("no data buffer " + std::to_string(buffer));
  return {data + offset, size};
}

void ArrayView::fail(const std::string& message) const {
  throw Error(ErrorCode::invalid_format, where_ + ": " + message);
}

}  // namespace shortlist::arrow
