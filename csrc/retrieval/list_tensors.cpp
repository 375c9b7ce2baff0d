#include "retrieval/list_tensors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/bitmap.hpp"
#include "base/error.hpp"
#include "retrieval/encode.hpp"

namespace shortlist::retrieval {
namespace {

class Check {
 public:
  explicit Check(const std::string& where) : where_(where) {}

  void require(bool condition, const char* tensor, const char* what) const {
    if (!condition) throw Error(ErrorCode::invalid_format, where_ + ": tensor \"" + tensor + "\" " + what);
  }
  template <class T>
  void size(std::span<const T> values, std::size_t expected, const char* tensor) const {
    if (values.size() == expected) return;
    throw Error(ErrorCode::invalid_format, where_ + ": tensor \"" + tensor + "\" has " +
                                               std::to_string(values.size()) + " elements, expected " +
                                               std::to_string(expected));
  }
  void finite(std::span<const float> values, const char* tensor) const {
    require(std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }),
            tensor, "has a value that is not finite");
  }
  // Finite, and at least 0.
  void magnitudes(std::span<const float> values, const char* tensor) const {
    finite(values, tensor);
    require(std::all_of(values.begin(), values.end(), [](float value) { return value >= 0.0f; }), tensor,
            "has a negative value");
  }

 private:
  const std::string& where_;
};

std::size_t groups_of(std::size_t n) noexcept { return (n + kGroupVectors - 1) / kGroupVectors; }

void check_sizes(const CodedLists& lists, bool l2, const Check& check) {
  const std::size_t n_groups = lists.n_groups();
  const std::size_t centroid_groups = groups_of(lists.n_lists);
  check.size(lists.origin, lists.dim, "origin");
  check.size(lists.centroids, lists.n_lists * lists.dim, "centroids");
  check.size(lists.begins, lists.n_lists + 1, "list_begins");
  check.size(lists.sizes, lists.n_lists, "list_sizes");
  check.size(lists.list_radii, lists.n_lists, "list_radii");
  check.size(lists.list_spreads, centroid_groups * kGroupVectors, "list_spreads");
  check.size(lists.centroid_codes, centroid_groups * lists.group_bytes(), "centroid_codes");
  check.size(lists.centroid_scales, centroid_groups * kGroupVectors, "centroid_scales");
  check.size(lists.centroid_biases, l2 ? centroid_groups * kGroupVectors : 0, "centroid_biases");
  check.size(lists.centroid_margins, centroid_groups, "centroid_margins");
  check.size(lists.codes, n_groups * lists.group_bytes(), "codes");
  check.size(lists.scales, n_groups * kGroupVectors, "scales");
  check.size(lists.biases, l2 ? n_groups * kGroupVectors : 0, "biases");
  check.size(lists.rows, n_groups * kGroupVectors, "rows");
  check.size(lists.errors, n_groups, "errors");
  const auto aligned = [](std::span<const std::uint8_t> bytes) {
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment == 0;
  };
  check.require(aligned(lists.centroid_codes), "centroid_codes", "does not begin at a multiple of 64 bytes");
  check.require(aligned(lists.codes), "codes", "does not begin at a multiple of 64 bytes");
}

// Lists cover the groups one after another, and every row is in one slot.
void check_rows(const CodedLists& lists, const Check& check) {
  std::vector<std::uint64_t> seen(bitmap_words(lists.n_vectors));
  std::size_t next = 0;
  std::size_t n = 0;
  for (std::size_t l = 0; l < lists.n_lists; ++l) {
    check.require(lists.begins[l] == next, "list_begins", "does not follow from the sizes");
    check.require(lists.sizes[l] <= lists.n_vectors, "list_sizes", "has a list larger than the index");
    next += groups_of(lists.sizes[l]);
    check.require(next <= lists.n_groups(), "list_sizes", "needs more groups than there are");
    for (std::size_t i = 0; i < lists.sizes[l]; ++i) {
      const std::uint32_t row = lists.rows[lists.begins[l] * kGroupVectors + i];
      check.require(row < lists.n_vectors, "rows", "has a row beyond the vectors");
      check.require(!test_bit(seen.data(), row), "rows", "has a row twice");
      set_bit(seen.data(), row);
    }
    n += lists.sizes[l];
  }
  check.require(lists.begins[lists.n_lists] == next && next == lists.n_groups(), "list_begins",
                "does not follow from the sizes");
  check.require(n == lists.n_vectors, "list_sizes", "does not add up to the vectors");
}

}  // namespace

void check_lists(CodedLists& lists, const FlatIndex& vectors, const std::string& where) {
  const Check check(where);
  const bool l2 = vectors.metric() == Metric::l2;
  lists.n_vectors = vectors.size();
  check.require(lists.dim == vectors.dim() && lists.dim <= kMaxCodedDim, "origin",
                "has not the dimensions of the vectors, or too many");
  check.require(lists.n_lists >= 1 && lists.n_lists <= std::max<std::size_t>(1, lists.n_vectors),
                "list_sizes", "has no lists, or more than vectors");
  lists.n_chunks = (lists.dim + kChunkDims - 1) / kChunkDims;
  check_sizes(lists, l2, check);
  check_rows(lists, check);
  check.finite(lists.origin, "origin");
  check.finite(lists.centroids, "centroids");
  check.magnitudes(lists.list_radii, "list_radii");
  check.magnitudes(lists.list_spreads, "list_spreads");
  check.magnitudes(lists.centroid_scales, "centroid_scales");
  check.finite(lists.centroid_biases, "centroid_biases");
  check.magnitudes(lists.centroid_margins, "centroid_margins");
  check.magnitudes(lists.scales, "scales");
  check.finite(lists.biases, "biases");
  check.magnitudes(lists.radii, "radii");
  check.magnitudes(lists.errors, "errors");
  lists.greatest_norm = greatest_norm_of(lists);
}

bool has_lists(const TensorFile& file) { return file.has("list_begins"); }

CodedLists read_lists(const TensorFile& file, const FlatIndex& vectors) {
  constexpr std::size_t kAny = TensorFile::kAny;
  const bool l2 = vectors.metric() == Metric::l2;
  CodedLists lists;
  lists.dim = file.dim("origin", 0);
  lists.n_lists = file.dim("list_sizes", 0);
  lists.origin = file.get<float>("origin", {lists.dim});
  lists.centroids = file.get<float>("centroids", {lists.n_lists, lists.dim});
  lists.begins = file.get<std::uint32_t>("list_begins", {kAny});
  lists.sizes = file.get<std::uint32_t>("list_sizes", {kAny});
  lists.list_radii = file.get<float>("list_radii", {kAny});
  lists.list_spreads = file.get<float>("list_spreads", {kAny});
  lists.centroid_codes = file.get<std::uint8_t>("centroid_codes", {kAny});
  lists.centroid_scales = file.get<float>("centroid_scales", {kAny});
  lists.centroid_margins = file.get<float>("centroid_margins", {kAny});
  lists.codes = file.get<std::uint8_t>("codes", {kAny});
  lists.scales = file.get<float>("scales", {kAny});
  lists.rows = file.get<std::uint32_t>("rows", {kAny});
  lists.radii = file.get<float>("radii", {kAny});
  lists.errors = file.get<float>("errors", {kAny});
  if (l2) {
    lists.centroid_biases = file.get<float>("centroid_biases", {kAny});
    lists.biases = file.get<float>("biases", {kAny});
  }
  check_lists(lists, vectors, file.name());
  return lists;
}

}  // namespace shortlist::retrieval
