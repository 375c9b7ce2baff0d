// Encodes one source's attributes: every feature that reads this source alone, and the hashes crosses need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "features/code.hpp"
#include "features/definition.hpp"
#include "features/text_table.hpp"
#include "features/value.hpp"

namespace shortlist::features {

enum class EncodeError : std::uint8_t { none, text_for_number };

// Cells stand in definition order. A row is made by encode_missing(), set() for each attribute there is,
// cross(); a row made earlier is changed by set() and cross() alike.
class SourceEncoder {
 public:
  [[nodiscard]] std::size_t n_cells() const noexcept { return n_cells_; }
  [[nodiscard]] std::size_t n_hashes() const noexcept { return n_hashes_; }
  // Names without the source's prefix.
  [[nodiscard]] std::span<const std::string> fields() const noexcept { return names_; }
  // Position among fields(). Hot.
  [[nodiscard]] std::optional<std::size_t> find_field(std::string_view name) const noexcept;
  // Does a feature read this field as text: by a vocabulary, a hash or a cross?
  [[nodiscard]] bool reads_text(std::size_t field) const noexcept { return fields_[field].needs_text; }

  // Does a numeric feature read this field, so that text is an error?
  [[nodiscard]] bool reads_number(std::size_t field) const noexcept { return fields_[field].needs_number; }

  // Hot: a row in which every field is missing.
  void encode_missing(std::uint32_t* cells, std::uint64_t* hashes) const noexcept;
  // Hot: one attribute; on an error nothing is written.
  [[nodiscard]] EncodeError set(std::size_t field, const Value& value, std::uint32_t* cells,
                                std::uint64_t* hashes) const noexcept;
  // Hot: the crosses of this source's own fields, after every set().
  void cross(const std::uint64_t* hashes, std::uint32_t* cells) const noexcept;

 private:
  friend class FeatureSet;  // builds it

  struct Operation {
    FeatureKind kind = FeatureKind::numeric;
    bool is_float = true;
    std::uint32_t cell = 0;
    std::uint32_t missing_cell = 0;
    double offset = 0.0;
    double divisor = 1.0;
    std::uint32_t vocabulary = 0;  // position among vocabularies_
    std::uint64_t seed = 0;
    Buckets buckets;
  };
  struct Field {
    std::vector<Operation> operations;
    std::optional<std::uint32_t> hash_slot;
    bool needs_text = false;
    bool needs_number = false;
  };

  std::uint32_t field_position(std::string_view name);                            // added where new
  std::uint32_t hash_slot(std::string_view name);                                 // added where new
  std::uint32_t add(const FeatureDefinition& definition, std::string_view name);  // -> its cell
  std::uint32_t add_cross(CrossOperation cross);                                  // -> its cell
  void finish() { name_table_ = TextTable(names_); }

  void set_missing(const Field& field, std::uint32_t* cells, std::uint64_t* hashes) const noexcept;
  void set_number(const Field& field, double number, std::uint32_t* cells) const noexcept;
  void set_text(const Field& field, std::string_view text, std::uint32_t* cells,
                std::uint64_t* hashes) const noexcept;

  std::vector<std::string> names_;
  TextTable name_table_;
  std::vector<Field> fields_;
  std::vector<TextTable> vocabularies_;
  std::vector<CrossOperation> crosses_;
  std::uint32_t n_cells_ = 0;
  std::uint32_t n_hashes_ = 0;
};

}  // namespace shortlist::features
