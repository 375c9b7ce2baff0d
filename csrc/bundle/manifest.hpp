// bundle.json: what a bundle holds. Read here without Python; sizes are checked, checksums are not.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.hpp"
#include "json/load.hpp"

namespace shortlist {

struct Part {
  std::string role;
  std::string kind;
  std::string format;
  std::vector<std::string> files;
};

class Manifest {
 public:
  static constexpr std::string_view kFileName = "bundle.json";
  static constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  static constexpr std::uint32_t kSchemaMajor = 1;

  // Reads bundle.json of the folder; every file it lists must be there with its size.
  // Throws not_found, io, invalid_format, mismatch (a size), unsupported (a newer schema).
  explicit Manifest(const Directory& directory);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  // The part of that role; null where there is none.
  [[nodiscard]] const Part* part(std::string_view role) const noexcept;
  // A member of "settings". Throws invalid_format where it is absent or not of that type.
  [[nodiscard]] json::Value setting(std::string_view key, json::Type type) const;

 private:
  void read_identity();
  void read_files(const Directory& directory);
  void read_parts();
  [[nodiscard]] json::Value member(json::Value object, std::string_view key, json::Type type,
                                   const std::string& where) const;

  MappedFile file_;
  json::Document document_;
  std::string name_;
  std::string version_;
  std::vector<Part> parts_;
  std::set<std::string, std::less<>> files_;
};

}  // namespace shortlist
