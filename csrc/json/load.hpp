// A JSON file parsed at load time, kept with the memory it lives in; mistakes are exceptions that name the
// file.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/arena.hpp"
#include "json/reader.hpp"

namespace shortlist::json {

class Document {
 public:
  // `text` must outlive the document. Throws invalid_format: "<where>: not valid JSON at byte 17: ...".
  Document(std::string_view text, const std::string& where);
  [[nodiscard]] Value root() const noexcept { return root_; }

 private:
  std::unique_ptr<Arena> arena_;
  Value root_;
};

}  // namespace shortlist::json
