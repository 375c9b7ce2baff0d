#include "arrow/table.hpp"

#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace shortlist::arrow {
namespace {

constexpr std::int64_t kMaxColumns = std::int64_t{1} << 31;
constexpr std::int64_t kMaxRows = std::int64_t{1} << 56;

[[noreturn]] void fail(const std::string& message) {
  throw Error(ErrorCode::invalid_format, "Arrow: " + message);
}

// Throws unless it is an array of structs without nulls.
void check_batch(const ArrowArray& batch, std::size_t n_columns) {
  if (batch.length < 0 || batch.length > kMaxRows) fail("a batch of length " + std::to_string(batch.length));
  if (batch.offset < 0 || batch.offset > kMaxRows) fail("a batch at offset " + std::to_string(batch.offset));
  if (batch.n_children < 0 || static_cast<std::size_t>(batch.n_children) != n_columns) {
    fail("a batch of " + std::to_string(batch.n_children) + " columns, its schema has " +
         std::to_string(n_columns));
  }
  if (batch.n_children > 0 && batch.children == nullptr) fail("a batch without its columns");
  if (batch.null_count == 0 || batch.n_buffers < 1 || batch.buffers == nullptr) return;
  const auto* const validity = static_cast<const std::uint8_t*>(batch.buffers[0]);
  if (validity == nullptr) return;
  for (std::int64_t row = 0; row < batch.length; ++row) {
    if (!test_bit(validity, static_cast<std::size_t>(batch.offset + row))) {
      fail("row " + std::to_string(row) + " of a batch is null as a whole");
    }
  }
}

}  // namespace

Table::Table(ArrowStream stream) : schema_(stream.schema()) {
  read_schema();
  while (Owned<ArrowArray> batch = stream.next()) add_batch(std::move(batch));
}

Table::Table(Owned<ArrowSchema> schema, Owned<ArrowArray> array) : schema_(std::move(schema)) {
  if (!schema_ || !array) throw Error(ErrorCode::invalid_argument, "Arrow: the array was consumed before");
  read_schema();
  add_batch(std::move(array));
}

void Table::read_schema() {
  const char* const format = schema_->format == nullptr ? "" : schema_->format;
  is_struct_ = std::strcmp(format, "+s") == 0 && schema_->dictionary == nullptr;
  if (!is_struct_) {
    columns_.push_back({schema_->name == nullptr ? "" : schema_->name, column_type(*schema_)});
    return;
  }
  if (schema_->n_children < 0 || schema_->n_children > kMaxColumns) {
    fail("a schema of " + std::to_string(schema_->n_children) + " columns");
  }
  if (schema_->n_children > 0 && schema_->children == nullptr) fail("a schema without its columns");
  for (std::int64_t i = 0; i < schema_->n_children; ++i) {
    const ArrowSchema* const child = schema_->children[i];
    if (child == nullptr || child->release == nullptr) {
      fail("a schema without column " + std::to_string(i));
    }
    columns_.push_back({child->name == nullptr ? "" : child->name, column_type(*child)});
  }
}

void Table::add_batch(Owned<ArrowArray> batch) {
  if (is_struct_) {
    check_batch(*batch, columns_.size());
  } else if (batch->length < 0 || batch->length > kMaxRows) {
    fail("a column of length " + std::to_string(batch->length));
  }
  n_rows_ += static_cast<std::size_t>(batch->length);
  if (n_rows_ > static_cast<std::size_t>(kMaxRows)) fail("more rows than any memory holds");
  batches_.push_back(std::move(batch));
}

std::vector<Table::Chunk> Table::chunks(std::size_t column) const {
  const ColumnType& type = columns_[column].type;
  const Kind kind = type.is_dictionary ? type.index : type.kind;
  std::vector<Chunk> chunks;
  chunks.reserve(batches_.size());
  for (const Owned<ArrowArray>& batch : batches_) {
    const ArrowArray* const array = is_struct_ ? batch->children[column] : &*batch;
    if (array == nullptr) throw Error(ErrorCode::invalid_format, where(column) + ": absent from a batch");
    if (type.is_dictionary && array->dictionary == nullptr) {
      throw Error(ErrorCode::invalid_format, where(column) + ": no dictionary");
    }
    chunks.push_back({ArrayView(*array, kind, is_struct_ ? batch->offset : 0, batch->length, where(column)),
                      array->dictionary});
  }
  return chunks;
}

std::string Table::where(std::size_t column) const { return "Arrow: column '" + columns_[column].name + "'"; }

}  // namespace shortlist::arrow
