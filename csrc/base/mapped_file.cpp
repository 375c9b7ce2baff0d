#include "base/mapped_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace shortlist {
namespace {

[[noreturn]] void throw_errno(int error, const std::string& what) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  const char* reason = error == ELOOP ? "is a symbolic link, which is refused" : std::strerror(error);
  throw Error(absent ? ErrorCode::not_found : ErrorCode::io, what + ": " + reason);
}

class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int value() const noexcept { return value_; }

 private:
  int value_;
};

}  // namespace

Directory::Directory(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw_errno(errno, path);
}

Directory::~Directory() { ::close(descriptor_); }

bool is_flat_name(std::string_view name) noexcept {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 255 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || c == '-' || c == '.'; });
}

MappedFile::MappedFile(const Directory& directory, const std::string& name) {
  const std::string where = directory.path() + "/" + name;
  if (!is_flat_name(name)) {
    throw Error(ErrorCode::invalid_format, where + ": not a plain file name, it could leave the folder");
  }
  const Descriptor file(
      ::openat(directory.descriptor(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (file.value() < 0) throw_errno(errno, where);
  struct stat status{};
  if (::fstat(file.value(), &status) != 0) throw_errno(errno, where);
  if (!S_ISREG(status.st_mode)) throw Error(ErrorCode::io, where + ": not a regular file");
  if (status.st_size == 0) return;
  size_ = static_cast<std::size_t>(status.st_size);
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.value(), 0);
  if (mapped == MAP_FAILED) throw_errno(errno, where);
  data_ = static_cast<const std::byte*>(mapped);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace shortlist
