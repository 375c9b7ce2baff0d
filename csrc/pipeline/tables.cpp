#include "pipeline/tables.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace shortlist::pipeline {

EncodedTable::EncodedTable(const Directory& directory, const std::string& file,
                           const features::SourceEncoder* encoder)
    : file_(TensorFile::open(directory, file)), ids_(file_) {
  if (encoder == nullptr) return;
  n_cells_ = encoder->n_cells();
  n_hashes_ = encoder->n_hashes();
  cells_ = file_.get<std::uint32_t>("cells", {size(), n_cells_});
  hashes_ = file_.get<std::uint64_t>("hashes", {size(), n_hashes_});
}

ItemTable::ItemTable(const Directory& directory, const std::string& file,
                     const features::SourceEncoder* encoder)
    : EncodedTable(directory, file, encoder),
      columns_(file_, size()),
      popular_(file_.get<std::uint32_t>("popular", {size()})) {
  if (std::any_of(popular_.begin(), popular_.end(), [&](std::uint32_t row) { return row >= size(); })) {
    throw Error(ErrorCode::invalid_format, file + ": tensor \"popular\" names rows beyond the table");
  }
}

UserTable::UserTable(const Directory& directory, const std::string& file,
                     const features::SourceEncoder* encoder)
    : EncodedTable(directory, file, encoder) {
  if (!file_.has("vectors")) return;
  dim_ = file_.dim("vectors", 1);
  vectors_ = file_.get<float>("vectors", {size(), dim_});
}

}  // namespace shortlist::pipeline
