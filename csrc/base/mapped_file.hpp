// Read-only memory-mapped files of one folder, opened by flat names that cannot leave it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace shortlist {

// An open folder. The path itself may be a symbolic link; what is inside may not.
class Directory {
 public:
  explicit Directory(const std::string& path);  // throws not_found, io
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
  int descriptor_;
};

// True for names such as "items.safetensors": letters, digits, '_', '-', '.', not starting with '.' or '-'.
[[nodiscard]] bool is_flat_name(std::string_view name) noexcept;

// Bytes of one regular file; the file must not be truncated while it is mapped (bundles are immutable).
class MappedFile {
 public:
  MappedFile() = default;
  // Throws invalid_format for a name that is not flat, not_found, io; refuses links and what is no regular
  // file.
  MappedFile(const Directory& directory, const std::string& name);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(data_), size_};
  }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace shortlist
