// The JSON reader takes what RFC 8259 allows, refuses the rest, and reads numbers exactly.
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "json/number.hpp"
#include "json/reader.hpp"
#include "json/writer.hpp"

using shortlist::Arena;
namespace json = shortlist::json;

namespace {

std::string mistake_of(std::string_view text) {
  Arena arena;
  json::ParseError error;
  return json::parse(text, arena, error) ? "" : error.message;
}

double number_of(std::string_view text) {
  Arena arena;
  json::ParseError error;
  const auto value = json::parse(text, arena, error);
  return value && value->is_number() ? value->number() : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

TEST_CASE(containers_keep_their_order_and_sizes) {
  Arena arena;
  json::ParseError error;
  const auto root = json::parse(R"( {"a":[1,[],{"b":null}], "c":"x", "d":true} )", arena, error);
  CHECK(root.has_value());
  CHECK_EQ(root->size(), 3u);
  std::string keys;
  for (const json::Member member : root->object()) keys += member.key;
  CHECK_EQ(keys, "acd");
  std::vector<std::size_t> sizes;
  for (const json::Value value : root->find("a")->array()) sizes.push_back(value.size());
  CHECK(sizes == (std::vector<std::size_t>{0, 0, 1}));
  CHECK(root->find("d")->boolean());
  CHECK(!root->find("e").has_value());
}

TEST_CASE(what_is_no_json_is_refused) {
  const char* const texts[] = {"",
                               " ",
                               "{",
                               "[",
                               "[1",
                               "[1,]",
                               "{\"a\"}",
                               "{\"a\":}",
                               "{a:1}",
                               "[1 2]",
                               "nul",
                               "truex",
                               "+1",
                               "01",
                               "1.",
                               ".5",
                               "1e",
                               "-",
                               "NaN",
                               "[}",
                               "\"",
                               "\"\\x\"",
                               "\"\n\"",
                               "1 2",
                               "{\"a\":1,}",
                               "Infinity",
                               "'a'",
                               "\"\\u12\"",
                               "\"\\ud800\"",
                               "\"\\udc00\"",
                               "\"\\ud800\\u0041\"",
                               "\"abc\\",
                               "[[[[[[[[[[[["};
  for (const char* const text : texts) {
    if (mistake_of(text).empty()) check::fail(__FILE__, __LINE__, text);
  }
}

TEST_CASE(nesting_is_capped_at_32_levels) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK_EQ(mistake_of(nested(32)), "");
  CHECK(mistake_of(nested(33)).starts_with("nested too deep"));
  CHECK(mistake_of(std::string(5'000'000, '[')).starts_with("nested too deep"));
}

TEST_CASE(ill_formed_utf8_is_refused) {
  const char* const texts[] = {"\"\xff\"",         "\"\xc0\x80\"",
                               "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
                               "\"\xe2\x82\"",     "\"\xf8\x88\x80\x80\x80\""};
  for (const char* const text : texts) CHECK_EQ(mistake_of(text), "not valid UTF-8");
  CHECK_EQ(mistake_of("\"\xe2\x82\xac \xf0\x9f\x98\x80 \xc3\xa9\""), "");
}

TEST_CASE(escapes_are_resolved) {
  Arena arena;
  json::ParseError error;
  const auto value = json::parse(R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z")", arena, error);
  CHECK(value.has_value());
  CHECK_EQ(value->string(), "a\"\\/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80z");
}

TEST_CASE(numbers_are_exact) {
  CHECK_EQ(number_of("0.1"), 0.1);
  CHECK_EQ(number_of("9007199254740993"), 9007199254740992.0);
  CHECK_EQ(number_of("123456789012345678901234567890"), 123456789012345678901234567890.0);
  CHECK_EQ(number_of("5e-324"), 5e-324);
  CHECK_EQ(number_of("1e-400"), 0.0);
  CHECK_EQ(number_of("1.7976931348623157e308"), std::numeric_limits<double>::max());
  CHECK(std::signbit(number_of("-0")) && number_of("-0") == 0.0);
  CHECK_EQ(mistake_of("1e400"), "a number beyond the range of float64");
  CHECK_EQ(mistake_of("1" + std::string(400, '0')), "a number beyond the range of float64");
  CHECK_EQ(number_of("0." + std::string(400, '0') + "1"), 0.0);
  CHECK_EQ(number_of("1" + std::string(400, '0') + "e-400"), 1.0);
  Arena arena;
  json::ParseError error;
  CHECK_EQ(json::parse("-9223372036854775808", arena, error)->integer(),
           std::numeric_limits<std::int64_t>::min());
  CHECK(json::parse("9223372036854775808", arena, error)->is(json::Type::number));
}

TEST_CASE(what_is_written_reads_back_to_the_same_bits) {
  std::mt19937_64 random(7);
  Arena arena;
  for (int i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    arena.reset();
    json::Writer writer(arena, 1);
    const double back = number_of(writer.number(value).text());
    CHECK_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(value));
  }
  arena.reset();
  json::Writer writer(arena, 1);
  CHECK_EQ(writer.string("a\"\\\n\x01\xc3\xa9").text(), "\"a\\\"\\\\\\u000a\\u0001\xc3\xa9\"");
}

TEST_CASE(random_bytes_never_crash) {
  static constexpr std::string_view kLetters = "{}[]\":,\\u0019.eE+-truefalsn \xc3\xa9";
  std::mt19937_64 random(11);
  for (int i = 0; i < 200000; ++i) {
    std::string text(random() % 24, ' ');
    for (char& c : text) c = kLetters[random() % kLetters.size()];
    static_cast<void>(mistake_of(text));
  }
}
