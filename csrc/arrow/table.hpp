// All record batches of a stream, or one array, as columns in chunks; the producer's memory is kept, not
// copied.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "arrow/array_view.hpp"
#include "arrow/c_data.hpp"
#include "arrow/owned.hpp"
#include "arrow/stream.hpp"
#include "arrow/type.hpp"

namespace shortlist::arrow {

class Table {
 public:
  struct Column {
    std::string name;
    ColumnType type;
  };
  // The rows of a column in one batch; `dictionary` is the values' array, null where there is none.
  struct Chunk {
    ArrayView rows;
    const ArrowArray* dictionary;
  };

  // Draws the stream to its end. A stream of structs has a column for each field, any other is one column.
  explicit Table(ArrowStream stream);
  Table(Owned<ArrowSchema> schema, Owned<ArrowArray> array);

  [[nodiscard]] const std::vector<Column>& columns() const noexcept { return columns_; }
  // Whether the columns are fields of structs: a table, not a column.
  [[nodiscard]] bool is_struct() const noexcept { return is_struct_; }
  [[nodiscard]] std::size_t n_rows() const noexcept { return n_rows_; }
  // Checked here, when a column is asked for: what nobody reads may be of any type.
  [[nodiscard]] std::vector<Chunk> chunks(std::size_t column) const;
  // "Arrow: column 'age'", which opens messages.
  [[nodiscard]] std::string where(std::size_t column) const;

 private:
  void read_schema();
  void add_batch(Owned<ArrowArray> batch);

  Owned<ArrowSchema> schema_;
  std::vector<Owned<ArrowArray>> batches_;
  std::vector<Column> columns_;
  bool is_struct_ = false;
  std::size_t n_rows_ = 0;
};

}  // namespace shortlist::arrow
