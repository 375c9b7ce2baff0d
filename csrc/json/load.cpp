#include "json/load.hpp"

#include "base/error.hpp"

namespace shortlist::json {

Document::Document(std::string_view text, const std::string& where)
    : arena_(std::make_unique<Arena>()), root_(nullptr) {
  ParseError mistake;
  const std::optional<Value> root = parse(text, *arena_, mistake);
  if (!root) {
    throw Error(ErrorCode::invalid_format, where + ": not valid JSON at byte " +
                                               std::to_string(mistake.offset) + ": " + mistake.message);
  }
  root_ = *root;
}

}  // namespace shortlist::json
