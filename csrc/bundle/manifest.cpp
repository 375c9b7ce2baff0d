#include "bundle/manifest.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"

namespace shortlist {
namespace {

const std::string kName(Manifest::kFileName);

[[noreturn]] void reject(const std::string& why) {
  throw Error(ErrorCode::invalid_format, kName + ": " + why);
}

// A small limit: what is listed is looked for one by one.
std::string_view checked_text(const MappedFile& file) {
  if (file.text().size() > Manifest::kMaxBytes) reject("longer than 1 MiB");
  return file.text();
}

}  // namespace

Manifest::Manifest(const Directory& directory)
    : file_(directory, kName), document_(checked_text(file_), kName) {
  if (!document_.root().is(json::Type::object)) reject("not a JSON object");
  read_identity();
  read_files(directory);
  read_parts();
}

json::Value Manifest::member(json::Value object, std::string_view key, json::Type type,
                             const std::string& where) const {
  const std::optional<json::Value> found = object.find(key);
  const std::string name = where + std::string(key);
  if (!found) reject(name + " is missing");
  if (!found->is(type))
    reject(name + " is " + json::type_name(found->type()) + ", expected " + json::type_name(type));
  return *found;
}

void Manifest::read_identity() {
  const json::Value root = document_.root();
  const std::string_view schema = member(root, "schema", json::Type::string, "").string();
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  const char* const end = schema.data() + schema.size();
  const auto dot = std::from_chars(schema.data(), end, major);
  const bool has_dot = dot.ec == std::errc{} && dot.ptr != end && *dot.ptr == '.';
  if (!has_dot || std::from_chars(dot.ptr + 1, end, minor).ptr != end || schema.back() == '.') {
    reject("schema is \"" + std::string(schema) + "\", expected MAJOR.MINOR");
  }
  if (major != kSchemaMajor) {
    throw Error(ErrorCode::unsupported, kName + ": schema " + std::string(schema) +
                                            ", this version reads schema " + std::to_string(kSchemaMajor) +
                                            ".x");
  }
  name_ = member(root, "name", json::Type::string, "").string();
  version_ = member(root, "version", json::Type::string, "").string();
}

void Manifest::read_files(const Directory& directory) {
  for (const json::Member entry : member(document_.root(), "files", json::Type::object, "").object()) {
    const std::string name(entry.key);
    if (!is_flat_name(name))
      reject("files: \"" + name + "\" is not a plain file name, it could leave the folder");
    if (!entry.value.is(json::Type::object)) reject("files: \"" + name + "\" is not an object");
    const std::int64_t expected =
        member(entry.value, "bytes", json::Type::integer, "files: \"" + name + "\": ").integer();
    const std::size_t actual = MappedFile(directory, name).bytes().size();
    if (expected < 0 || static_cast<std::size_t>(expected) != actual) {
      throw Error(ErrorCode::mismatch, name + ": " + std::to_string(actual) + " bytes, " + kName + " says " +
                                           std::to_string(expected));
    }
    if (!files_.insert(name).second) reject("files: \"" + name + "\" occurs twice");
  }
}

void Manifest::read_parts() {
  for (const json::Value entry : member(document_.root(), "parts", json::Type::array, "").array()) {
    if (!entry.is(json::Type::object)) reject("parts: an element is not an object");
    Part part;
    part.role = member(entry, "role", json::Type::string, "parts: ").string();
    part.kind = member(entry, "kind", json::Type::string, "parts: ").string();
    part.format = member(entry, "format", json::Type::string, "parts: ").string();
    for (const json::Value file : member(entry, "files", json::Type::array, "parts: ").array()) {
      if (!file.is(json::Type::string) || !files_.contains(file.string())) {
        reject("part \"" + part.role + "\" names a file that \"files\" does not list");
      }
      part.files.emplace_back(file.string());
    }
    if (part.files.empty()) reject("part \"" + part.role + "\" has no file");
    if (this->part(part.role) != nullptr) reject("part \"" + part.role + "\" occurs twice");
    parts_.push_back(std::move(part));
  }
}

const Part* Manifest::part(std::string_view role) const noexcept {
  const auto found =
      std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) { return part.role == role; });
  return found == parts_.end() ? nullptr : &*found;
}

json::Value Manifest::setting(std::string_view key, json::Type type) const {
  return member(member(document_.root(), "settings", json::Type::object, ""), key, type, "settings: ");
}

}  // namespace shortlist
