// Numbers to the codes of their categories: by a table where the categories are small whole numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trees/node.hpp"

namespace shortlist::trees {

class CategoryCodes {
 public:
  // Keys distinct and ascending, a code for each; `kind` is one that asks for sets.
  CategoryCodes(ViewKind kind, std::span<const double> keys, std::span<const std::uint16_t> codes);

  // What a value without key gets, the greatest code of all; missing is one less.
  [[nodiscard]] std::uint16_t unknown() const noexcept { return unknown_; }
  [[nodiscard]] std::uint16_t code(double x) const noexcept;
  // The codes of n numbers. Where `rounded`, a number is rounded to float first, but for a hashed kind: a
  // hash does not fit a float.
  template <class T>
  void codes(const T* numbers, std::size_t n, bool rounded, std::uint16_t* out) const noexcept;

 private:
  [[nodiscard]] std::uint16_t search(double x) const noexcept;
  // Where the table has the code of x; `whole`: other numbers are no categories.
  template <bool whole>
  [[nodiscard]] std::uint32_t place(double x) const noexcept;
  template <bool whole, class Number>
  void codes_of(std::size_t n, const Number& number, std::uint16_t* out) const noexcept;
  [[nodiscard]] bool table_is_complete() const noexcept;

  ViewKind kind_;
  std::uint16_t unknown_ = 0;
  std::vector<double> keys_;
  std::vector<std::uint16_t> key_codes_;
  // What lies in [lowest_, size_), and for some kinds is whole, has the code at its place, cut off; behind
  // these n_places_ are the codes of unknown and missing.
  std::vector<std::uint16_t> table_;
  double lowest_ = 0.0;
  double size_ = 0.0;
  std::uint32_t n_places_ = 0;  // size_
  bool complete_ = false;       // whatever lies outside is unknown
};

}  // namespace shortlist::trees
