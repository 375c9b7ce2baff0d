// The one exception of load and build time, and the status that hot functions return instead.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace shortlist {

enum class ErrorCode {
  invalid_argument,  // a caller's value is out of its domain
  invalid_format,    // a file or text does not follow its format
  not_found,         // a file, part, tensor or name does not exist
  mismatch,          // two parts that must agree do not
  unsupported,       // valid, but not handled by this version
  io,                // the operating system refused
};

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace shortlist
