// A variable of the environment that is set for one scope.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>

class Variable {
 public:
  // Null means unset.
  Variable(std::string name, const char* value) : name_(std::move(name)) {
    if (const char* const before = std::getenv(name_.c_str())) before_ = before;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) {
    value == nullptr ? unsetenv(name_.c_str()) : setenv(name_.c_str(), value, 1);
  }
  std::string name_;
  std::optional<std::string> before_;
};
