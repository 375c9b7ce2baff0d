// CatBoost's hash of categories, and the derived columns of CTRs.
#include "trees/ctr.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "check.hpp"
#include "trees/city_hash.hpp"

using shortlist::Error;
using namespace shortlist::trees;

namespace {

// One projection of a category and a border; its table has one key, that of category "3" above the border.
struct Tables {
  std::vector<std::uint32_t> element_offsets{0, 2}, features{0, 1}, hashes{0, 0}, column_offsets{0, 2};
  std::vector<std::uint8_t> kinds{0, 1}, shifts{63};
  std::vector<float> borders{0.0F, 1.5F}, values{0.25F, 0.75F}, defaults{-1.0F, -2.0F};
  std::vector<std::uint64_t> slot_offsets{0, 3}, keys{kEmptySlot, kEmptySlot, kEmptySlot},
      value_offsets{0, 2};
  std::vector<std::uint32_t> rows{0, 0, 0};

  Tables() {
    constexpr std::uint64_t kMultiplier = 0x4906ba494954cb65ULL;
    const auto hash = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(hash_of_text("3"))});
    const std::uint64_t key = kMultiplier * (kMultiplier * (kMultiplier * hash) + kMultiplier);
    keys[key >> 63] = key;
  }
  [[nodiscard]] CtrArrays arrays() const {
    return {element_offsets, kinds,         features, borders, hashes, shifts, slot_offsets, keys, rows,
            column_offsets,  value_offsets, values,   defaults};
  }
  [[nodiscard]] bool refused() const {
    try {
      (void)Ctrs(arrays(), 2);
    } catch (const Error&) {
      return true;
    }
    return false;
  }
};

}  // namespace

TEST_CASE(hashes_of_texts_are_those_that_catboost_stores) {
  CHECK_EQ(hash_of_text("3"), 593172586U);
  CHECK_EQ(hash_of_text("8"), 4274974262U);
}

TEST_CASE(whole_cells_are_hashed_as_their_decimal_text) {
  CHECK_EQ(hash_of_cell(3.0), std::int64_t{593172586});
  CHECK_EQ(hash_of_cell(-0.0), std::int64_t{hash_of_text("0")});
  CHECK_EQ(hash_of_cell(-9007199254740991.0), std::int64_t{hash_of_text("-9007199254740991")});
  CHECK_EQ(hash_of_cell(9007199254740991.0), std::int64_t{hash_of_text("9007199254740991")});
  CHECK_EQ(hash_of_cell(0x1p53 + 2.0 * 17.0), std::int64_t{17});
  CHECK_EQ(hash_of_cell(0x1p53 + 2.0 * 0xffffffff), std::int64_t{0xffffffff});
}

TEST_CASE(other_cells_are_no_category) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double cell : {0.5, -1e300, 1e300, 0x1p53 + 0x1p33, -0x1p53, infinity, -infinity, std::nan("")})
    CHECK_EQ(hash_of_cell(cell), kNoCategory);
}

TEST_CASE(a_known_key_gives_its_row_and_every_other_the_defaults) {
  const Tables tables;
  const Ctrs ctrs(tables.arrays(), 2);
  const double rows[] = {3.0, 2.0, 3.0, 1.5, 4.0, 2.0, std::nan(""), 2.0, 3.0, std::nan("")};
  float out[10];
  ctrs.compute(rows, 5, 2, out);
  for (int i = 0; i < 5; ++i) {
    CHECK_EQ(out[2 * i], i == 0 ? 0.25F : -1.0F);
    CHECK_EQ(out[2 * i + 1], i == 0 ? 0.75F : -2.0F);
  }
  const float narrow[] = {3.0F, 2.0F};
  ctrs.compute(narrow, 1, 2, out);
  CHECK_EQ(out[0], 0.25F);
}

TEST_CASE(tables_that_do_not_fit_are_refused) {
  CHECK(!Tables().refused());
  std::vector<Tables> bad(12);
  bad[0].features[1] = 2;
  bad[1].kinds[0] = 4;
  bad[2].shifts[0] = 0;
  bad[3].shifts[0] = 64;
  bad[4].shifts[0] = 1;  // more slots than there are
  bad[5].keys[2] = 5;    // a search would not end
  bad[6].rows = {1, 1, 1};
  bad[7].column_offsets = {0, 0};
  bad[8].value_offsets = {0, 1};
  bad[9].slot_offsets = {0, ~std::uint64_t{0}};
  bad[10].defaults.pop_back();
  bad[11].element_offsets.clear();
  for (const Tables& tables : bad) CHECK(tables.refused());
}
