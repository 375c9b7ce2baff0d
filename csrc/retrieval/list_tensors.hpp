// Coded lists that come from outside: every count, range and number is checked before a search may use them.
#pragma once

#include <string>

#include "bundle/safetensors.hpp"
#include "retrieval/coded_lists.hpp"
#include "retrieval/flat_index.hpp"

namespace shortlist::retrieval {

// Completes lists whose spans, dim and n_lists are set: n_chunks, n_vectors and greatest_norm. What passes
// keeps every search within its memory, whatever the codes are. Throws invalid_format, naming `where` and the
// tensor.
void check_lists(CodedLists& lists, const FlatIndex& vectors, const std::string& where);

// Whether the file has lists.
[[nodiscard]] bool has_lists(const TensorFile& file);
// Those of the file, checked. Throws not_found, mismatch, invalid_format.
[[nodiscard]] CodedLists read_lists(const TensorFile& file, const FlatIndex& vectors);

}  // namespace shortlist::retrieval
