// shortlist::Error becomes the Python exception of its code (python/shortlist/errors.py).
#include "base/error.hpp"
#include "python/bindings.hpp"

namespace shortlist::python {
namespace {

const char* class_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_format:
      return "FormatError";
    case ErrorCode::not_found:
      return "NotFoundError";
    case ErrorCode::mismatch:
      return "MismatchError";
    case ErrorCode::unsupported:
      return "UnsupportedError";
    case ErrorCode::io:
      return "StorageError";
    case ErrorCode::invalid_argument:
      break;
  }
  return "ArgumentError";
}

}  // namespace

void register_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      const py::object type = py::module_::import("shortlist.errors").attr(class_name(error.code()));
      py::set_error(type, error.what());
    }
  });
}

}  // namespace shortlist::python
