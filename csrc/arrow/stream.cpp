#include "arrow/stream.hpp"

#include <string>

#include "base/error.hpp"

namespace shortlist::arrow {

ArrowStream::ArrowStream(ArrowArrayStream& given) : stream_(given) {
  if (!stream_) throw Error(ErrorCode::invalid_argument, "Arrow: the stream was consumed before");
  if (stream_->get_schema == nullptr || stream_->get_next == nullptr) {
    throw Error(ErrorCode::invalid_format, "Arrow: a stream without the functions of a stream");
  }
}

Owned<ArrowSchema> ArrowStream::schema() {
  Owned<ArrowSchema> schema;
  check(stream_->get_schema(stream_.get(), schema.get()), "schema");
  if (!schema) throw Error(ErrorCode::invalid_format, "Arrow: the stream gave no schema");
  return schema;
}

Owned<ArrowArray> ArrowStream::next() {
  Owned<ArrowArray> array;
  check(stream_->get_next(stream_.get(), array.get()), "next batch");
  return array;
}

void ArrowStream::check(int code, const char* what) {
  if (code == 0) return;
  const char* const said =
      stream_->get_last_error == nullptr ? nullptr : stream_->get_last_error(stream_.get());
  throw Error(ErrorCode::io, std::string("Arrow: the stream's ") + what + " failed: " +
                                 (said == nullptr ? "code " + std::to_string(code) : std::string(said)));
}

}  // namespace shortlist::arrow
