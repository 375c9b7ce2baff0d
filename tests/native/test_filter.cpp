// Filter expressions select the rows that a reading of them by hand selects, and refuse what they cannot
// mean.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/bitmap.hpp"
#include "check.hpp"
#include "table/filter.hpp"

using namespace shortlist;

namespace {

// A table of five rows: price 10 20 NaN 30 40, genre jazz rock - jazz blues, tags [a b] [] [b] [c] [a].
class Fixture {
 public:
  Fixture() {
    const std::string name = std::filesystem::temp_directory_path() / "shortlist-filter-XXXXXX";
    std::vector<char> folder(name.begin(), name.end());
    folder.push_back('\0');
    path_ = ::mkdtemp(folder.data());
    write();
    const Directory directory(path_);
    file_.emplace(TensorFile::open(directory, "items.safetensors"));
    columns_ = table::Columns(*file_, 5);
  }
  ~Fixture() { std::filesystem::remove_all(path_); }

  // The rows that pass, such as "0 3"; the message of a mistake.
  [[nodiscard]] std::string select(std::string_view expression) const {
    Arena arena;
    table::FilterError error;
    const auto bits = table::filter_rows(expression, columns_, arena, error);
    if (error.message != nullptr) return std::string("error: ") + error.message;
    std::string rows;
    for (std::size_t row = 0; row < 64; ++row) {
      if (test_bit(bits.data(), row)) rows += (rows.empty() ? "" : " ") + std::to_string(row);
    }
    return rows;
  }

 private:
  void write() const {
    std::string header = "{";
    std::string data;
    const auto add = [&](const char* name, const char* dtype, std::size_t n, const void* bytes,
                         std::size_t size) {
      header += std::string(header.size() == 1 ? "" : ",") + "\"" + name + "\":{\"dtype\":\"" + dtype +
                "\",\"shape\":[" + std::to_string(n) + "],\"data_offsets\":[" + std::to_string(data.size()) +
                "," + std::to_string(data.size() + size) + "]}";
      data.append(static_cast<const char*>(bytes), size);
    };
    const double price[] = {10, 20, std::numeric_limits<double>::quiet_NaN(), 30, 40};
    const std::int64_t genre_offsets[] = {0, 4, 8, 13};
    const std::int64_t tag_offsets[] = {0, 2, 2, 3, 4, 5};
    const std::int64_t tag_dict[] = {0, 1, 2, 3};
    const std::int32_t genre[] = {0, 1, -1, 0, 2};
    const std::int32_t tags[] = {0, 1, 1, 2, 0};
    add("number.price", "F64", 5, price, sizeof price);
    add("text.genre.offsets", "I64", 4, genre_offsets, sizeof genre_offsets);
    add("list.tags.offsets", "I64", 6, tag_offsets, sizeof tag_offsets);
    add("list.tags.dict_offsets", "I64", 4, tag_dict, sizeof tag_dict);
    add("text.genre.codes", "I32", 5, genre, sizeof genre);
    add("list.tags.codes", "I32", 5, tags, sizeof tags);
    add("text.genre.bytes", "U8", 13, "jazzrockblues", 13);
    add("list.tags.dict_bytes", "U8", 3, "abc", 3);
    header += "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = header.size();
    std::ofstream out(path_ + "/items.safetensors", std::ios::binary);
    out.write(reinterpret_cast<const char*>(&size), 8);
    out << header << data;
  }

  std::string path_;
  std::optional<TensorFile> file_;
  table::Columns columns_;
};

}  // namespace

TEST_CASE(comparisons_select_rows) {
  const Fixture table;
  CHECK_EQ(table.select("price < 30"), "0 1");
  CHECK_EQ(table.select("price<=30"), "0 1 3");
  CHECK_EQ(table.select("price > 2e1"), "3 4");
  CHECK_EQ(table.select("price >= 40"), "4");
  CHECK_EQ(table.select("price == 20"), "1");
  CHECK_EQ(table.select("price = 20"), "1");
  CHECK_EQ(table.select("price != 20"), "0 2 3 4");
  CHECK_EQ(table.select("price in [10, 40]"), "0 4");
  CHECK_EQ(table.select("item.price not in [10, 40]"), "1 2 3");
  CHECK_EQ(table.select("genre == 'jazz'"), "0 3");
  CHECK_EQ(table.select("genre != \"jazz\""), "1 2 4");
  CHECK_EQ(table.select("genre in ['jazz', 'blues', 'punk']"), "0 3 4");
  CHECK_EQ(table.select("genre == 'punk'"), "");
  CHECK_EQ(table.select("tags == 'a'"), "0 4");
  CHECK_EQ(table.select("tags in ['b','c']"), "0 2 3");
  CHECK_EQ(table.select("tags != 'a'"), "1 2 3");
}

TEST_CASE(connectives_bind_as_usual) {
  const Fixture table;
  CHECK_EQ(table.select("price < 15 or genre == 'jazz' and price > 25"), "0 3");
  CHECK_EQ(table.select("(price < 15 or genre == 'rock') and not tags == 'a'"), "1");
  CHECK_EQ(table.select("not not (price < 15)"), "0");
  CHECK_EQ(table.select("not price < 30"), "2 3 4");
}

TEST_CASE(lists_of_any_length_select_rows) {
  const Fixture table;
  CHECK_EQ(table.select("price in [40, 1e1, true, 40]"), "0 4");
  CHECK_EQ(table.select("price in [7]"), "");
  CHECK_EQ(table.select("genre not in ['jazz', 'punk']"), "1 2 4");
  CHECK_EQ(table.select("tags not in ['a']"), "1 2 3");
  std::string numbers = "price in [1";
  while (numbers.size() < table::kMaxFilterBytes - 20) numbers += ",2";
  CHECK_EQ(table.select(numbers + ",30 ]"), "3");
}

TEST_CASE(a_backslash_takes_the_next_character_as_it_is) {
  const Fixture table;
  CHECK_EQ(table.select(R"(genre == 'ja\zz')"), "0 3");
  CHECK_EQ(table.select(R"(genre == "j\a\zz")"), "0 3");
  CHECK_EQ(table.select(R"(genre in ["\r\o\c\k", 'x\'y', "\\"])"), "1");
  CHECK_EQ(table.select(R"(genre == 'jazz\')"), "error: a text without its closing quote");
}

TEST_CASE(nested_expressions_select_what_their_parts_say) {
  struct Part {
    std::string text;
    unsigned rows;
  };
  const Fixture table;
  const std::vector<Part> atoms = {{"price < 30", 0b00011},
                                   {"genre == 'jazz'", 0b01001},
                                   {"tags in ['b', 'c']", 0b01101},
                                   {"price != 20", 0b11101},
                                   {"genre not in ['rock']", 0b11101}};
  std::mt19937 random(8);
  for (int i = 0; i < 300; ++i) {
    std::vector<Part> parts = atoms;
    while (parts.size() > 1) {
      const Part b = parts.back();
      parts.pop_back();
      Part& a = parts[random() % parts.size()];
      switch (random() % 3) {
        case 0:
          a = {"(" + a.text + " or " + b.text + ")", a.rows | b.rows};
          break;
        case 1:
          a = {"(" + a.text + " and " + b.text + ")", a.rows & b.rows};
          break;
        default:
          a = {"not (" + b.text + " or " + a.text + ")", ~(a.rows | b.rows) & 0b11111};
      }
    }
    std::string expected;
    for (unsigned row = 0; row < 5; ++row) {
      if ((parts[0].rows >> row & 1) != 0) expected += (expected.empty() ? "" : " ") + std::to_string(row);
    }
    CHECK_EQ(table.select(parts[0].text), expected);
  }
}

TEST_CASE(mistakes_are_told) {
  const Fixture table;
  const char* const expressions[] = {"",
                                     "price",
                                     "price <",
                                     "price < 'a'",
                                     "genre < 'a'",
                                     "genre == 3",
                                     "cost == 1",
                                     "price == 1 and",
                                     "(price == 1",
                                     "price in [",
                                     "price in [1",
                                     "genre == 'a",
                                     "price == 1 2",
                                     "price like 3",
                                     "not",
                                     "price == 1e999",
                                     "genre in ['a' 'b']",
                                     "price ! 3",
                                     "\xff"};
  for (const char* const expression : expressions) {
    if (!table.select(expression).starts_with("error: ")) check::fail(__FILE__, __LINE__, expression);
  }
  CHECK(table.select(std::string(40, '(') + "price == 1" + std::string(40, ')'))
            .starts_with("error: nested too deep"));
  std::string nots;
  for (int i = 0; i < 40; ++i) nots += "not ";
  CHECK(table.select(nots + "price == 1").starts_with("error: nested too deep"));
  CHECK(table.select(std::string(9000, ' ')).starts_with("error: longer"));
  std::string many = "price == 1";
  for (std::size_t i = 1; i < table::kMaxFilterComparisons; ++i) many += " or price == 1";
  CHECK_EQ(table.select(many), "");
  CHECK_EQ(table.select(many + " or price == 1"), "error: more than 256 comparisons");
}
