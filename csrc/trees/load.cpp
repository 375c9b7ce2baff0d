#include "bundle/safetensors.hpp"
#include "trees/forest.hpp"
#include "trees/format_v1.hpp"

namespace shortlist::trees {
namespace {

template <class T>
std::span<const T> tensor(const TensorFile& file, const char* name) {
  return file.get<T>(name, {TensorFile::kAny});
}

ForestArraysV1 arrays_v1(const TensorFile& file) {
  const auto u32 = [&](const char* name) { return tensor<std::uint32_t>(file, name); };
  return {
      .header = u32("header"),
      .scale = tensor<double>(file, "scale"),
      .thresholds = tensor<double>(file, "thresholds"),
      .threshold_offsets = u32("threshold_offsets"),
      .categories = u32("categories"),
      .category_offsets = u32("category_offsets"),
      .view_features = u32("view_features"),
      .view_kinds = tensor<std::uint8_t>(file, "view_kinds"),
      .tree_roots = u32("tree_roots"),
      .nodes = tensor<std::uint64_t>(file, "nodes"),
      .values = tensor<double>(file, "values"),
      .tree_bitsets = u32("tree_bitsets"),
      .bitset_offsets = u32("bitset_offsets"),
      .bitset_words = u32("bitset_words"),
  };
}

}  // namespace

Forest Forest::load(const TensorFile& file) {
  const auto header = tensor<std::uint32_t>(file, "header");
  if (!header.empty() && header[0] == 1) {
    const UpgradedForest upgraded(arrays_v1(file));
    return Forest(upgraded.arrays());
  }
  ForestArrays arrays;
  for_each_tensor(
      arrays, [&]<class T>(const char* name, std::span<const T>& values) { values = tensor<T>(file, name); });
  BitsliceArrays sliced;
  if (file.has("predicate_offsets")) {  // an earlier version wrote none
    for_each_bitslice_tensor(sliced, [&]<class T>(const char* name, std::span<const T>& values) {
      if constexpr (std::is_same_v<T, LogicInstruction>) {
        values = instructions(tensor<std::uint64_t>(file, name));
      } else {
        values = tensor<T>(file, name);
      }
    });
  }
  const std::string* const costs = file.metadata("kernel_costs");
  return Forest(arrays, sliced, costs == nullptr ? std::string_view() : *costs);
}

}  // namespace shortlist::trees
