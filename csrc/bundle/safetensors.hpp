// One memory-mapped safetensors file, checked in full when opened: nothing in it is trusted before.
// Format: 8 bytes header size, little-endian; a JSON header; the data, without gaps or overlaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.hpp"
#include "json/reader.hpp"

namespace shortlist {

enum class Dtype : std::uint8_t { u8, u16, u32, u64, i32, i64, f32, f64 };

template <class T>
inline constexpr Dtype kDtypeOf = Dtype{};
template <>
inline constexpr Dtype kDtypeOf<std::uint8_t> = Dtype::u8;
template <>
inline constexpr Dtype kDtypeOf<char> = Dtype::u8;
template <>
inline constexpr Dtype kDtypeOf<std::uint16_t> = Dtype::u16;
template <>
inline constexpr Dtype kDtypeOf<std::uint32_t> = Dtype::u32;
template <>
inline constexpr Dtype kDtypeOf<std::uint64_t> = Dtype::u64;
template <>
inline constexpr Dtype kDtypeOf<std::int32_t> = Dtype::i32;
template <>
inline constexpr Dtype kDtypeOf<std::int64_t> = Dtype::i64;
template <>
inline constexpr Dtype kDtypeOf<float> = Dtype::f32;
template <>
inline constexpr Dtype kDtypeOf<double> = Dtype::f64;

class TensorFile {
 public:
  static constexpr std::size_t kMaxHeaderBytes = std::size_t{8} << 20;
  static constexpr std::size_t kAny = SIZE_MAX;  // a dimension that may have any size

  // Throws not_found, io, invalid_format; the message names the file.
  [[nodiscard]] static TensorFile open(const Directory& directory, const std::string& name);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] bool has(std::string_view tensor) const noexcept { return tensors_.contains(tensor); }
  // Names in alphabetical order.
  [[nodiscard]] std::vector<std::string> names() const;
  // Size of one axis; 0 where the tensor has no such axis. Throws not_found.
  [[nodiscard]] std::size_t dim(std::string_view tensor, std::size_t axis) const;
  // Throws not_found, or mismatch where dtype or shape differ from what is asked.
  template <class T>
  [[nodiscard]] std::span<const T> get(std::string_view tensor,
                                       std::initializer_list<std::size_t> shape) const {
    const std::span<const std::byte> bytes = checked(tensor, kDtypeOf<T>, shape);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  // Null where the header has no such entry.
  [[nodiscard]] const std::string* metadata(std::string_view key) const noexcept;

 private:
  struct Tensor {
    Dtype dtype;
    std::vector<std::size_t> shape;
    std::span<const std::byte> bytes;
  };
  TensorFile() = default;
  [[nodiscard]] std::size_t read_header_size() const;
  void read_header();
  void read_metadata(json::Value object);
  [[nodiscard]] Tensor read_tensor(const std::string& key, json::Value entry,
                                   std::span<const std::byte> data) const;
  void check_coverage(std::span<const std::byte> data) const;
  [[noreturn]] void reject(const std::string& why) const;
  [[nodiscard]] const Tensor& find(std::string_view tensor) const;
  [[nodiscard]] std::span<const std::byte> checked(std::string_view tensor, Dtype dtype,
                                                   std::initializer_list<std::size_t> shape) const;

  std::string name_;
  MappedFile file_;
  std::map<std::string, Tensor, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

}  // namespace shortlist
