#include "bundle/safetensors.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "json/load.hpp"

namespace shortlist {
namespace {

struct DtypeInfo {
  std::string_view name;
  Dtype dtype;
  std::size_t bytes;
};
constexpr std::array<DtypeInfo, 8> kDtypes = {{{"U8", Dtype::u8, 1},
                                               {"U16", Dtype::u16, 2},
                                               {"U32", Dtype::u32, 4},
                                               {"U64", Dtype::u64, 8},
                                               {"I32", Dtype::i32, 4},
                                               {"I64", Dtype::i64, 8},
                                               {"F32", Dtype::f32, 4},
                                               {"F64", Dtype::f64, 8}}};

const DtypeInfo* info_of(std::string_view name) {
  const auto* found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& d) { return d.name == name; });
  return found == kDtypes.end() ? nullptr : found;
}

const DtypeInfo& info_of(Dtype dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& d) { return d.dtype == dtype; });
}

// Non-negative JSON integers of an array of at most `limit` elements.
std::optional<std::vector<std::size_t>> sizes(json::Value value, std::size_t limit) {
  if (!value.is(json::Type::array) || value.size() > limit) return std::nullopt;
  std::vector<std::size_t> result;
  for (const json::Value element : value.array()) {
    if (!element.is(json::Type::integer) || element.integer() < 0) return std::nullopt;
    result.push_back(static_cast<std::size_t>(element.integer()));
  }
  return result;
}

// Product of the sizes times `bytes`, or nothing where it overflows.
std::optional<std::size_t> byte_count(const std::vector<std::size_t>& shape, std::size_t bytes) {
  std::size_t total = bytes;
  for (const std::size_t size : shape) {
    if (__builtin_mul_overflow(total, size, &total)) return std::nullopt;
  }
  return total;
}

std::string shape_text(const std::size_t* begin, const std::size_t* end) {
  std::string text = "[";
  for (const std::size_t* at = begin; at != end; ++at) {
    text += at == begin ? "" : ", ";
    text += *at == TensorFile::kAny ? "any" : std::to_string(*at);
  }
  return text + "]";
}

}  // namespace

TensorFile TensorFile::open(const Directory& directory, const std::string& name) {
  TensorFile result;
  result.name_ = name;
  result.file_ = MappedFile(directory, name);
  result.read_header();
  return result;
}

void TensorFile::reject(const std::string& why) const {
  throw Error(ErrorCode::invalid_format, name_ + ": not a valid safetensors file: " + why);
}

std::size_t TensorFile::read_header_size() const {
  const std::span<const std::byte> bytes = file_.bytes();
  if (bytes.size() < 8) reject("shorter than its 8-byte header size");
  std::uint64_t size = 0;
  for (int i = 7; i >= 0; --i) size = size << 8 | static_cast<std::uint64_t>(bytes[i]);
  const std::string claim = "the header claims " + std::to_string(size) + " bytes, ";
  if (size > kMaxHeaderBytes) reject(claim + "at most 8 MiB are taken");
  if (size > bytes.size() - 8) reject(claim + "the file is shorter");
  if ((8 + size) % kDtypes.back().bytes != 0) reject("the data does not start at a multiple of 8 bytes");
  return size;
}

void TensorFile::read_header() {
  const std::size_t header_size = read_header_size();
  const json::Document header(file_.text().substr(8, header_size), name_);
  if (!header.root().is(json::Type::object)) reject("the header is not an object");
  const std::span<const std::byte> data = file_.bytes().subspan(8 + header_size);
  bool has_metadata = false;
  for (const json::Member entry : header.root().object()) {
    const std::string key(entry.key);
    if (!entry.value.is(json::Type::object)) reject("entry \"" + key + "\" is not an object");
    if (key != "__metadata__") {
      const bool added = tensors_.emplace(key, read_tensor(key, entry.value, data)).second;
      if (!added) reject("tensor \"" + key + "\" occurs twice");
    } else {
      if (std::exchange(has_metadata, true)) reject("the metadata occurs twice");
      read_metadata(entry.value);
    }
  }
  check_coverage(data);
}

void TensorFile::read_metadata(json::Value object) {
  for (const json::Member member : object.object()) {
    const std::string key(member.key);
    if (!member.value.is(json::Type::string)) reject("metadata \"" + key + "\" is not a string");
    if (!metadata_.emplace(key, member.value.string()).second)
      reject("metadata \"" + key + "\" occurs twice");
  }
}

TensorFile::Tensor TensorFile::read_tensor(const std::string& key, json::Value entry,
                                           std::span<const std::byte> data) const {
  const std::string tensor = "tensor \"" + key + "\" ";
  const auto dtype = entry.find("dtype");
  const auto shape = entry.find("shape");
  const auto offsets = entry.find("data_offsets");
  if (!dtype || !shape || !offsets || entry.size() != 3 || !dtype->is(json::Type::string)) {
    reject(tensor + "needs dtype, shape and data_offsets, and nothing else");
  }
  const DtypeInfo* const info = info_of(dtype->string());
  if (info == nullptr)
    reject(tensor + "has the dtype " + std::string(dtype->string()) + ", which is not taken");
  const auto dims = sizes(*shape, 8);
  const auto range = sizes(*offsets, 2);
  const auto wanted = dims ? byte_count(*dims, info->bytes) : std::nullopt;
  if (!wanted || !range || range->size() != 2) reject(tensor + "has an invalid shape or data_offsets");
  const std::size_t first = (*range)[0];
  const std::size_t last = (*range)[1];
  if (first > last || last > data.size()) reject(tensor + "lies outside the data");
  if (last - first != *wanted) reject(tensor + "has a shape that does not match its data_offsets");
  if (first % info->bytes != 0) reject(tensor + "is not aligned to its element size");
  return {info->dtype, *dims, data.subspan(first, last - first)};
}

void TensorFile::check_coverage(std::span<const std::byte> data) const {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;  // where a tensor begins, and its size
  for (const auto& [name, tensor] : tensors_) {
    ranges.emplace_back(tensor.bytes.data() - data.data(), tensor.bytes.size());
  }
  std::sort(ranges.begin(), ranges.end());
  std::size_t covered = 0;
  for (const auto& [first, size] : ranges) {
    if (first != covered)
      reject("tensors overlap or leave a gap at byte " + std::to_string(covered) + " of the data");
    covered += size;
  }
  if (covered != data.size()) reject("the data goes on after the last tensor, or is cut off");
}

std::vector<std::string> TensorFile::names() const {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : tensors_) result.push_back(name);
  return result;
}

const TensorFile::Tensor& TensorFile::find(std::string_view tensor) const {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) {
    throw Error(ErrorCode::not_found, name_ + ": tensor \"" + std::string(tensor) + "\" is missing");
  }
  return found->second;
}

std::size_t TensorFile::dim(std::string_view tensor, std::size_t axis) const {
  const Tensor& found = find(tensor);
  return axis < found.shape.size() ? found.shape[axis] : 0;
}

std::span<const std::byte> TensorFile::checked(std::string_view tensor, Dtype dtype,
                                               std::initializer_list<std::size_t> shape) const {
  const Tensor& found = find(tensor);
  const bool same =
      found.shape.size() == shape.size() &&
      std::equal(shape.begin(), shape.end(), found.shape.begin(),
                 [](std::size_t want, std::size_t have) { return want == kAny || want == have; });
  if (found.dtype != dtype || !same) {
    throw Error(ErrorCode::mismatch,
                name_ + ": tensor \"" + std::string(tensor) + "\" is " +
                    std::string(info_of(found.dtype).name) + " " +
                    shape_text(found.shape.data(), found.shape.data() + found.shape.size()) + ", expected " +
                    std::string(info_of(dtype).name) + " " + shape_text(shape.begin(), shape.end()));
  }
  return found.bytes;
}

const std::string* TensorFile::metadata(std::string_view key) const noexcept {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

}  // namespace shortlist
