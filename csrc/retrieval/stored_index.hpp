// The index of a bundle: vectors in a file, their coded lists where it has them, and plans for how to search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "bundle/safetensors.hpp"
#include "retrieval/vector_index.hpp"

namespace shortlist::retrieval {

class StoredIndex {
 public:
  // Tensors of FlatIndex; those of the lists and `plans` where it is not an older file. The file must outlive
  // the index. Throws Error naming the file.
  explicit StoredIndex(const TensorFile& file);
  StoredIndex(const StoredIndex&) = delete;
  StoredIndex& operator=(const StoredIndex&) = delete;

  [[nodiscard]] const FlatIndex& vectors() const noexcept { return vectors_; }
  // The best k rows that are allowed, at the recall that the index was packed with: exactly where it is flat.
  // `allowed` is a bitmap or null for all. The hits live in the arena. Throws only std::bad_alloc.
  [[nodiscard]] std::span<Hit> search(const Query& query, std::size_t k, const std::uint64_t* allowed,
                                      Arena& arena) const;

 private:
  void read_plans(const TensorFile& file);
  [[nodiscard]] SearchPlan plan_of(std::size_t k) const noexcept;

  FlatIndex vectors_;
  std::optional<CodedLists> lists_;
  std::optional<VectorIndex> index_;
  std::vector<SearchPlan> plans_;  // by ascending k; empty for the exact search
};

}  // namespace shortlist::retrieval
