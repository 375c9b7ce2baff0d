// Feature assembly without Python: bucket remainders, rows against values worked out here, no heap, hostile
// text.
#include <cstdlib>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "check.hpp"
#include "features/feature_set.hpp"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace shortlist::features {
namespace {

constexpr std::string_view kFeatures = R"({"version":1,"features":[
  {"kind":"numeric","name":"age","block":"dense","field":"user.age","missing":"nan","scale":"standard","offset":30,"divisor":10},
  {"kind":"categorical","name":"genre","block":"dense","field":"item.genre","vocabulary":["drama","comedy"]},
  {"kind":"hashed","name":"genre_id","block":"ids","field":"item.genre","buckets":1000,"seed":7},
  {"kind":"cross","name":"age*genre","block":"dense","fields":["user.age","item.genre"],"buckets":64,"seed":3},
  {"kind":"cross","name":"age*hour","block":"ids","fields":["user.age","context.hour"],"buckets":64,"seed":0},
  {"kind":"cross","name":"genre*year","block":"ids","fields":["item.genre","item.year"],"buckets":99,"seed":0},
  {"kind":"similarity","name":"similarity","block":"dense"}]})";

TEST_CASE(remainders_equal_the_operator) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    const auto divisor =
        static_cast<std::uint32_t>(1 + random() % ((std::uint64_t{1} << (1 + random() % 31)) - 1));
    const std::uint64_t hash = i % 3 == 0 ? ~std::uint64_t{0} - random() % 3 : random() / divisor * divisor;
    CHECK(Modulus(divisor).remainder(hash) == hash % divisor);
  }
  CHECK(Modulus(1).remainder(~std::uint64_t{0}) == 0);
}

std::uint64_t pair_hash(std::string_view first, std::string_view second, std::uint64_t seed) {
  const std::uint64_t hashes[2] = {xxh64(first), xxh64(second)};
  return xxh64({reinterpret_cast<const char*>(hashes), sizeof(hashes)}, seed);
}

// Everything a request does between parsing and scoring.
struct Request {
  std::uint32_t user_cells[1], item_cells[3], row[7], rows[14];
  std::uint64_t user_hashes[1], context_hashes[1], item_hashes[2];

  void assemble(const FeatureSet& set, double age, std::string_view genre, const float* similarity) {
    const SourceEncoder& user = set.encoder(Source::user);
    const SourceEncoder& context = set.encoder(Source::context);
    const SourceEncoder& item = set.encoder(Source::item);
    user.encode_missing(user_cells, user_hashes);
    context.encode_missing(nullptr, context_hashes);
    item.encode_missing(item_cells, item_hashes);
    CHECK(user.set(*user.find_field("age"), Value::of(age), user_cells, user_hashes) == EncodeError::none);
    CHECK(context.set(*context.find_field("hour"), Value::of(12.0), nullptr, context_hashes) ==
          EncodeError::none);
    CHECK(item.set(*item.find_field("genre"), Value::of(genre), item_cells, item_hashes) ==
          EncodeError::none);
    CHECK(item.set(*item.find_field("year"), Value::of(1999), item_cells, item_hashes) == EncodeError::none);
    user.cross(user_hashes, user_cells);
    item.cross(item_hashes, item_cells);
    set.assemble_request(user_cells, user_hashes, nullptr, context_hashes, row);
    const std::uint32_t* const cells[2] = {item_cells, item_cells};
    const std::uint64_t* const hashes[2] = {item_hashes, item_hashes};
    set.assemble_items(row, user_hashes, context_hashes, cells, hashes, similarity, 2, rows);
  }
};

TEST_CASE(rows_hold_what_the_definitions_say) {
  const FeatureSet set = FeatureSet::from_json(kFeatures);
  Request request;
  const float similarity[2] = {0.25F, 0.5F};
  request.assemble(set, 34.0, "comedy", similarity);
  const std::uint32_t* const row = request.rows + 7;
  CHECK(row[0] == float_cell(0.4F));
  CHECK(row[1] == float_cell(2.0F));
  CHECK(row[2] == 1 + xxh64("comedy", 7) % 999);
  CHECK(row[3] == float_cell(static_cast<float>(1 + pair_hash("34", "comedy", 3) % 63)));
  CHECK(row[4] == 1 + pair_hash("34", "12", 0) % 63);
  CHECK(row[5] == 1 + pair_hash("comedy", "1999", 0) % 98);
  CHECK(row[6] == float_cell(0.5F));
  request.assemble(set, std::numeric_limits<double>::quiet_NaN(), "horror", nullptr);
  CHECK(request.rows[1] == float_cell(0.0F) && request.rows[3] == float_cell(0.0F));
  CHECK(std::isnan(std::bit_cast<float>(request.rows[0])));
  CHECK(std::isnan(std::bit_cast<float>(request.rows[6])));
}

TEST_CASE(the_way_of_a_request_takes_nothing_from_the_heap) {
  const FeatureSet set = FeatureSet::from_json(kFeatures);
  Request request;
  const float similarity[2] = {0.25F, 0.5F};
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i)
    request.assemble(set, i + 0.5, "a genre longer than any small string", similarity);
  CHECK(allocations == before);
}

TEST_CASE(text_for_a_number_changes_nothing) {
  const FeatureSet set = FeatureSet::from_json(kFeatures);
  const SourceEncoder& user = set.encoder(Source::user);
  std::uint32_t cell = 17;
  std::uint64_t hash = 18;
  CHECK(user.set(0, Value::of("old"), &cell, &hash) == EncodeError::text_for_number);
  CHECK(cell == 17 && hash == 18);
  CHECK(!user.find_field("ages") && !user.find_field(""));
}

TEST_CASE(damaged_definitions_are_refused_or_valid) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string text(kFeatures);
    for (std::uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 2) {
        text[at] = "0123456789\"{}[]:,. aen-"[random() % 23];
      } else {
        text.erase(at, 1 + random() % 8);
      }
    }
    try {
      CHECK(FeatureSet::from_json(text).n_features() > 0);
    } catch (const Error& error) {
      CHECK(std::string_view(error.what()).starts_with("features.json: "));
    }
  }
}

}  // namespace
}  // namespace shortlist::features
