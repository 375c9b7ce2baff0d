// A producer's stream of record batches, drawn one after another.
#pragma once

#include "arrow/c_data.hpp"
#include "arrow/owned.hpp"

namespace shortlist::arrow {

class ArrowStream {
 public:
  // Takes the stream over. Throws where it was consumed before.
  explicit ArrowStream(ArrowArrayStream& given);

  [[nodiscard]] Owned<ArrowSchema> schema();
  // Holds nothing at the end. Throws what the producer says where it fails.
  [[nodiscard]] Owned<ArrowArray> next();

 private:
  void check(int code, const char* what);

  Owned<ArrowArrayStream> stream_;
};

}  // namespace shortlist::arrow
