// The item and user tables of a bundle: ids, encoded attributes, and what retrieval and filters need of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bundle/safetensors.hpp"
#include "features/source_encoder.hpp"
#include "table/columns.hpp"
#include "table/id_map.hpp"

namespace shortlist::pipeline {

// Rows that the features' encoder of this source made when the bundle was packed.
class EncodedTable {
 public:
  // `encoder` is null for a bundle without features. Throws where the tensors do not fit it.
  EncodedTable(const Directory& directory, const std::string& file, const features::SourceEncoder* encoder);

  [[nodiscard]] const table::IdMap& ids() const noexcept { return ids_; }
  [[nodiscard]] std::size_t size() const noexcept { return ids_.size(); }
  [[nodiscard]] const std::uint32_t* cells(std::size_t row) const noexcept {
    return cells_.data() + row * n_cells_;
  }
  [[nodiscard]] const std::uint64_t* hashes(std::size_t row) const noexcept {
    return hashes_.data() + row * n_hashes_;
  }

 protected:
  TensorFile file_;

 private:
  table::IdMap ids_;
  std::size_t n_cells_ = 0;
  std::size_t n_hashes_ = 0;
  std::span<const std::uint32_t> cells_;
  std::span<const std::uint64_t> hashes_;
};

class ItemTable : public EncodedTable {
 public:
  ItemTable(const Directory& directory, const std::string& file, const features::SourceEncoder* encoder);

  [[nodiscard]] const table::Columns& columns() const noexcept { return columns_; }
  // Rows in descending popularity.
  [[nodiscard]] std::span<const std::uint32_t> popular() const noexcept { return popular_; }

 private:
  table::Columns columns_;
  std::span<const std::uint32_t> popular_;
};

class UserTable : public EncodedTable {
 public:
  UserTable(const Directory& directory, const std::string& file, const features::SourceEncoder* encoder);

  // 0 where users have no vectors.
  [[nodiscard]] std::size_t dim() const noexcept { return dim_; }
  [[nodiscard]] const float* vector(std::size_t row) const noexcept { return vectors_.data() + row * dim_; }

 private:
  std::size_t dim_ = 0;
  std::span<const float> vectors_;
};

}  // namespace shortlist::pipeline
