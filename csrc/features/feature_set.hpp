// One definition of the features of a model, for training and serving: rows of cells from three sources'
// attributes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/definition.hpp"
#include "features/source_encoder.hpp"

namespace shortlist::features {

// Immutable, so any number of threads may use it. A row holds one cell a feature, in definition order; cells
// are of request level (user and context fields), item level (item fields) or pair level (both, and the
// similarity).
class FeatureSet {
 public:
  struct Block {
    std::string name;
    bool is_float;                       // float32 cells, else int32
    std::vector<std::uint32_t> columns;  // positions in the row, ascending
  };

  // Throws Error naming the feature and what is wrong with it.
  [[nodiscard]] static FeatureSet build(std::span<const FeatureDefinition> definitions);
  [[nodiscard]] static FeatureSet from_json(std::string_view text);

  [[nodiscard]] const SourceEncoder& encoder(Source source) const noexcept {
    return encoders_[static_cast<std::size_t>(source)];
  }
  [[nodiscard]] std::size_t n_features() const noexcept { return names_.size(); }
  [[nodiscard]] std::span<const std::string> names() const noexcept { return names_; }
  [[nodiscard]] bool uses_similarity() const noexcept { return !similarity_columns_.empty(); }
  // In the order of their first feature.
  [[nodiscard]] std::span<const Block> blocks() const noexcept { return blocks_; }

  // Hot: fills the request-level cells of a row; those of item and pair level are left.
  void assemble_request(const std::uint32_t* user_cells, const std::uint64_t* user_hashes,
                        const std::uint32_t* context_cells, const std::uint64_t* context_hashes,
                        std::uint32_t* row) const noexcept;

  // Hot: writes n full rows, n x n_features. Each candidate's cells and hashes are pointed to, as they may
  // lie in a table or in a copy that a request's attributes changed. `similarity` may be null: NaN.
  void assemble_items(const std::uint32_t* request_row, const std::uint64_t* user_hashes,
                      const std::uint64_t* context_hashes, const std::uint32_t* const* item_cells,
                      const std::uint64_t* const* item_hashes, const float* similarity, std::size_t n,
                      std::uint32_t* rows) const noexcept;

 private:
  // Cells [from, from + size) of a source's cells are the row's cells [to, to + size).
  struct Run {
    std::uint32_t from;
    std::uint32_t to;
    std::uint32_t size;
  };

  void add_feature(const FeatureDefinition& definition, std::uint32_t column);
  void add_cross(const FeatureDefinition& definition, std::uint32_t column);
  void add_source_cell(Source source, std::uint32_t cell, std::uint32_t column);
  void add_to_block(const FeatureDefinition& definition, std::uint32_t column);
  void cover_request_column(std::uint32_t column);
  void spread_short_runs();

  void assemble_crosses(const std::uint64_t* user_hashes, const std::uint64_t* context_hashes,
                        const std::uint64_t* const* item_hashes, std::size_t n,
                        std::uint32_t* rows) const noexcept;

  std::vector<std::string> names_;
  std::vector<Block> blocks_;
  std::array<SourceEncoder, kSources> encoders_;
  std::array<std::vector<Run>, kSources> runs_;
  std::vector<std::uint32_t>
      item_columns_;  // the row's column of each item cell, in place of many short runs
  std::vector<CrossOperation> request_crosses_;  // user and context
  std::vector<CrossOperation> pair_crosses_;     // item and another source
  std::vector<std::uint32_t> similarity_columns_;
  std::uint32_t request_begin_ = 0;  // columns that hold every request-level cell
  std::uint32_t request_end_ = 0;
};

}  // namespace shortlist::features
