// Arrow arrays as a hostile or careless producer may fill them: refused by name, read within their buffers.
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "arrow/distinct.hpp"
#include "arrow/numbers.hpp"
#include "arrow/table.hpp"
#include "base/error.hpp"
#include "check.hpp"
#include "guarded.hpp"

using shortlist::Error;
using shortlist::ErrorCode;
namespace arrow = shortlist::arrow;

namespace {

int released = 0;

// A table of one column "x", its structures kept here; every field may be changed before it is taken.
struct Producer {
  explicit Producer(const char* format, std::vector<const void*> column_buffers, std::int64_t length)
      : buffers(std::move(column_buffers)) {
    schema.format = "+s";
    schema.n_children = 1;
    schema.children = &schema_child;
    schema.release = [](ArrowSchema* self) { self->release = nullptr, ++released; };
    column_schema.format = format;
    column_schema.name = "x";
    column_schema.release = [](ArrowSchema* self) { self->release = nullptr; };
    batch.length = length;
    batch.n_buffers = 1;
    batch.buffers = &no_buffer;
    batch.n_children = 1;
    batch.children = &batch_child;
    batch.release = [](ArrowArray* self) { self->release = nullptr, ++released; };
    column.length = length;
    column.n_buffers = static_cast<std::int64_t>(buffers.size());
    column.buffers = buffers.data();
    column.release = [](ArrowArray* self) { self->release = nullptr; };
  }
  Producer(const Producer&) = delete;

  arrow::Table take() { return {arrow::Owned<ArrowSchema>(schema), arrow::Owned<ArrowArray>(batch)}; }

  ArrowSchema schema{}, column_schema{};
  ArrowArray batch{}, column{};
  ArrowSchema* schema_child = &column_schema;
  ArrowArray* batch_child = &column;
  const void* no_buffer = nullptr;
  std::vector<const void*> buffers;
};

std::vector<double> numbers_of(const arrow::Table& table) {
  std::vector<arrow::NumberChunk> chunks;
  const arrow::Kind kind = table.columns()[0].type.kind;
  const std::size_t width = arrow::byte_width(kind);
  for (const arrow::Table::Chunk& chunk : table.chunks(0)) {
    const std::byte* const values =
        chunk.rows.values() == nullptr ? nullptr : chunk.rows.values() + chunk.rows.first() * width;
    chunks.push_back({kind, values, static_cast<std::ptrdiff_t>(width), chunk.rows.size(),
                      chunk.rows.validity(), chunk.rows.first()});
  }
  std::vector<arrow::NumberReader<double>> readers;
  readers.emplace_back(chunks);
  std::vector<double> out(table.n_rows());
  arrow::write_rows(readers, table.n_rows(), out.data());
  return out;
}

std::string texts_of(const arrow::Table& table) {
  std::vector<std::int32_t> codes(table.n_rows());
  const auto values = arrow::distinct_values(table, 0, codes);
  std::string joined;
  for (const std::int32_t code : codes) {
    joined +=
        code < 0 ? "-" : std::string(std::get<std::string_view>(values[static_cast<std::size_t>(code)]));
    joined += '|';
  }
  return joined;
}

template <class Read>
std::string refusal_of(Producer& producer, Read read) {
  try {
    static_cast<void>(read(producer.take()));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// A view of a text that is not inline.
std::array<std::int32_t, 4> view(std::int32_t length, std::int32_t buffer, std::int32_t offset) {
  return {length, 0, buffer, offset};
}

}  // namespace

TEST_CASE(offsets_of_batch_and_column_add_up_and_nulls_are_nan) {
  const Guarded<std::int16_t> values(6);
  for (std::size_t i = 0; i < 6; ++i) values[i] = static_cast<std::int16_t>(i);
  const Guarded<std::uint8_t> bits(1);
  bits[0] = 0b101111;
  Producer producer("s", {bits.data(), values.data()}, 3);
  producer.batch.offset = 2;
  producer.column.length = 5;
  producer.column.offset = 1;
  producer.column.null_count = -1;
  const auto out = numbers_of(producer.take());
  CHECK_EQ(out.size(), 3u);
  CHECK_EQ(out[0], 3.0);
  CHECK(std::isnan(out[1]));
  CHECK_EQ(out[2], 5.0);
}

TEST_CASE(what_is_taken_is_released_once) {
  released = 0;
  const double value = 1;
  {
    Producer producer("g", {nullptr, &value}, 1);
    const arrow::Table table = producer.take();
    CHECK(producer.batch.release == nullptr);
    CHECK_EQ(released, 0);
  }
  CHECK_EQ(released, 2);
  Producer bad("g", {nullptr, &value}, -1);
  CHECK(contains(refusal_of(bad, numbers_of), "a batch of length -1"));
  CHECK_EQ(released, 4);
}

TEST_CASE(counts_out_of_their_domain_are_refused) {
  const double value = 1;
  const struct {
    const char* message;
    void (*spoil)(Producer&);
  } cases[] = {
      {"a batch of length -1", [](Producer& p) { p.batch.length = -1; }},
      {"a batch of length 9223372036854775807", [](Producer& p) { p.batch.length = INT64_MAX; }},
      {"a batch at offset -1", [](Producer& p) { p.batch.offset = -1; }},
      {"a batch of 0 columns", [](Producer& p) { p.batch.n_children = 0; }},
      {"a batch of -1 columns", [](Producer& p) { p.batch.n_children = -1; }},
      {"a batch without its columns", [](Producer& p) { p.batch.children = nullptr; }},
      {"a schema of -1 columns", [](Producer& p) { p.schema.n_children = -1; }},
      {"a schema of 9223372036854775807 columns", [](Producer& p) { p.schema.n_children = INT64_MAX; }},
      {"a schema without its columns", [](Producer& p) { p.schema.children = nullptr; }},
      {"a schema without column 0", [](Producer& p) { p.schema_child = nullptr; }},
      {"absent from a batch", [](Producer& p) { p.batch_child = nullptr; }},
      {"'x': was released", [](Producer& p) { p.column.release = nullptr; }},
      {"'x': length -5", [](Producer& p) { p.column.length = -5; }},
      {"'x': offset -5", [](Producer& p) { p.column.offset = -5; }},
      {"'x': offset 9223372036854775807", [](Producer& p) { p.column.offset = INT64_MAX; }},
      {"has 0 rows, fewer than its table", [](Producer& p) { p.column.length = 0; }},
      {"fewer than its table", [](Producer& p) { p.batch.offset = 1; }},
      {"null count -2 of 1 rows", [](Producer& p) { p.column.null_count = -2; }},
      {"null count 2 of 1 rows", [](Producer& p) { p.column.null_count = 2; }},
      {"1 nulls, and no bitmap", [](Producer& p) { p.column.null_count = 1; }},
      {"1 buffers, expected 2", [](Producer& p) { p.column.n_buffers = 1; }},
      {"-1 buffers, expected 2", [](Producer& p) { p.column.n_buffers = -1; }},
      {"no buffers", [](Producer& p) { p.column.buffers = nullptr; }},
      {"no buffer of values", [](Producer& p) { p.buffers[1] = nullptr; }},
      {"consumed before", [](Producer& p) { p.batch.release = nullptr; }},
  };
  for (const auto& one : cases) {
    Producer producer("g", {nullptr, &value}, 1);
    one.spoil(producer);
    const std::string message = refusal_of(producer, numbers_of);
    if (!contains(message, one.message)) check::fail(__FILE__, __LINE__, one.message + (": " + message));
  }
}

TEST_CASE(empty_columns_need_no_buffers_of_values) {
  Producer numbers("g", {nullptr, nullptr}, 0);
  CHECK(numbers_of(numbers.take()).empty());
  Producer texts("u", {nullptr, nullptr, nullptr}, 0);
  CHECK_EQ(texts_of(texts.take()), "");
}

TEST_CASE(a_column_of_nulls_has_no_buffers) {
  Producer producer("n", {}, 2);
  producer.column.null_count = 2;
  const auto out = numbers_of(producer.take());
  CHECK(std::isnan(out[0]) && std::isnan(out[1]));
}

TEST_CASE(texts_lie_between_their_offsets) {
  const Guarded<std::int32_t> offsets(4);
  const std::int32_t given[] = {0, 2, 2, 5};
  std::memcpy(offsets.data(), given, sizeof given);
  const Guarded<char> bytes(5);
  std::memcpy(bytes.data(), "abcde", 5);
  Producer producer("u", {nullptr, offsets.data(), bytes.data()}, 3);
  CHECK_EQ(texts_of(producer.take()), "ab||cde|");
}

TEST_CASE(text_offsets_that_descend_are_refused) {
  const std::int64_t descending[] = {4, 2}, negative[] = {-2, 2}, beyond[] = {0, 1};
  Producer one("U", {nullptr, descending, "abcde"}, 1);
  CHECK(contains(refusal_of(one, texts_of), "column 'x': text offsets 4 and 2"));
  Producer two("U", {nullptr, negative, "abcde"}, 1);
  CHECK(contains(refusal_of(two, texts_of), "text offsets -2 and 2"));
  Producer three("U", {nullptr, beyond, nullptr}, 1);
  CHECK(contains(refusal_of(three, texts_of), "no buffer of texts"));
}

TEST_CASE(what_is_null_is_not_read) {
  const std::int64_t wild[] = {INT64_MIN, INT64_MAX, -1};
  const std::uint8_t none = 0;
  Producer texts("U", {&none, wild, nullptr}, 2);
  texts.column.null_count = 2;
  CHECK_EQ(texts_of(texts.take()), "-|-|");
}

TEST_CASE(views_lie_in_their_data_buffers) {
  const auto inline_view = std::array<std::int32_t, 4>{3, std::bit_cast<std::int32_t>(0x636261), 0, 0};
  const std::string data = "0123456789abcdef";
  const std::int64_t size = 16;
  const std::array<std::array<std::int32_t, 4>, 2> good = {inline_view, view(13, 0, 3)};
  Producer fine("vu", {nullptr, good.data(), data.data(), &size}, 2);
  CHECK_EQ(texts_of(fine.take()), "abc|3456789abcdef|");
  const std::array<std::int32_t, 4> bad[] = {
      view(13, 0, 4), view(13, 0, -1),       view(13, 1, 0),         view(13, -1, 0),
      view(-1, 0, 0), view(INT32_MAX, 0, 0), view(13, 0, INT32_MAX), view(13, INT32_MIN, 0)};
  for (const auto& one : bad) {
    Producer producer("vu", {nullptr, one.data(), data.data(), &size}, 1);
    CHECK(contains(refusal_of(producer, texts_of), "column 'x': a text"));
  }
  const auto needs_data = view(13, 0, 0);
  Producer no_data("vu", {nullptr, needs_data.data(), nullptr, &size}, 1);
  CHECK(contains(refusal_of(no_data, texts_of), "no data buffer 0"));
  Producer no_sizes("vu", {nullptr, needs_data.data(), data.data(), nullptr}, 1);
  CHECK(contains(refusal_of(no_sizes, texts_of), "no sizes of its data buffers"));
  Producer too_few("vu", {nullptr, needs_data.data()}, 1);
  CHECK(contains(refusal_of(too_few, texts_of), "2 buffers, expected 3"));
}

TEST_CASE(indices_stay_in_their_dictionary) {
  const std::int32_t offsets[] = {0, 1, 2};
  Producer values("u", {nullptr, offsets, "ab"}, 2);
  const struct {
    const char* format;
    std::vector<std::int64_t> indices;
  } cases[] = {{"l", {1, 0, 2}}, {"l", {1, -1, 0}}, {"L", {1, -1, 0}}, {"l", {INT64_MIN, 0, 0}}};
  for (const auto& one : cases) {
    Producer producer(one.format, {nullptr, one.indices.data()}, 3);
    producer.column_schema.dictionary = &values.column_schema;
    producer.column.dictionary = &values.column;
    CHECK(contains(refusal_of(producer, texts_of), "index outside its dictionary of 2"));
  }
  const std::int64_t good[] = {1, 0, 1};
  Producer fine("l", {nullptr, good}, 3);
  fine.column_schema.dictionary = &values.column_schema;
  fine.column.dictionary = &values.column;
  CHECK_EQ(texts_of(fine.take()), "b|a|b|");
  Producer absent("l", {nullptr, good}, 3);
  absent.column_schema.dictionary = &values.column_schema;
  CHECK(contains(refusal_of(absent, texts_of), "column 'x': no dictionary"));
}

TEST_CASE(a_dictionary_that_claims_to_be_huge_costs_nothing) {
  const std::int32_t offsets[] = {0, 1};
  Producer values("u", {nullptr, offsets, "a"}, 1);
  values.column.length = std::int64_t{1} << 50;
  const std::uint8_t index = 0;
  Producer producer("C", {nullptr, &index}, 1);
  producer.column_schema.dictionary = &values.column_schema;
  producer.column.dictionary = &values.column;
  CHECK_EQ(texts_of(producer.take()), "a|");
}

TEST_CASE(formats_have_names_and_unknown_ones_are_no_error) {
  const double value = 1;
  for (const char* const format : {"", "zz", "+l", "tsu:UTC", "d:3,2", "+s", "x"}) {
    Producer producer(format, {nullptr, &value}, 1);
    const arrow::Table table = producer.take();
    CHECK(table.columns()[0].type.kind == arrow::Kind::other);
    CHECK(!table.columns()[0].type.name.empty());
  }
  Producer producer(nullptr, {nullptr, &value}, 1);
  CHECK_EQ(producer.take().columns()[0].type.name, "without a format");
}

TEST_CASE(every_half_is_the_float_it_denotes) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    Producer producer("e", {nullptr, &half}, 1);
    const double got = numbers_of(producer.take())[0];
    const int exponent = static_cast<int>(bits >> 10 & 0x1F);
    const double fraction = bits & 0x3FF;
    double expected = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    if (exponent == 0x1F) expected = fraction == 0 ? HUGE_VAL : std::nan("");
    if ((bits & 0x8000) != 0) expected = -expected;
    const bool same = std::isnan(expected) ? std::isnan(got)
                                           : got == expected && std::signbit(got) == std::signbit(expected);
    if (!same) check::fail(__FILE__, __LINE__, std::to_string(bits));
  }
}

TEST_CASE(rows_are_written_for_any_width_and_height) {
  for (const std::size_t n_rows : {0u, 1u, 127u, 128u, 129u, 300u}) {
    for (const std::size_t n_columns : {1u, 7u, 8u, 9u, 16u, 17u}) {
      std::deque<Guarded<float>> columns;
      std::vector<arrow::NumberReader<float>> readers;
      for (std::size_t column = 0; column < n_columns; ++column) {
        columns.emplace_back(n_rows);
        for (std::size_t row = 0; row < n_rows; ++row) {
          columns.back()[row] = static_cast<float>(row * n_columns + column);
        }
        const auto* const values = reinterpret_cast<const std::byte*>(columns.back().data());
        const std::size_t cut = n_rows / 3 * (column % 2);
        readers.emplace_back(std::vector<arrow::NumberChunk>{
            {arrow::Kind::float32, values, 4, cut, nullptr, 0},
            {arrow::Kind::float32, values + cut * 4, 4, n_rows - cut, nullptr, 0}});
      }
      const Guarded<float> out(n_rows * n_columns);
      arrow::write_rows(readers, n_rows, out.data());
      for (std::size_t i = 0; i < n_rows * n_columns; ++i) {
        if (out[i] != static_cast<float>(i)) check::fail(__FILE__, __LINE__, std::to_string(i));
      }
    }
  }
}

TEST_CASE(a_stream_that_fails_says_why) {
  ArrowArrayStream stream{};
  stream.get_schema = [](ArrowArrayStream*, ArrowSchema*) { return 5; };
  stream.get_next = [](ArrowArrayStream*, ArrowArray*) { return 5; };
  stream.release = [](ArrowArrayStream* self) { self->release = nullptr; };
  ArrowArrayStream copy = stream;
  CHECK_THROWS(arrow::Table(arrow::ArrowStream(copy)), Error,
               contains(error.what(), "schema failed: code 5"));
  copy = stream;
  copy.get_last_error = [](ArrowArrayStream*) -> const char* { return "no route"; };
  CHECK_THROWS(arrow::Table(arrow::ArrowStream(copy)), Error,
               contains(error.what(), "schema failed: no route"));
  copy = stream;
  copy.get_schema = [](ArrowArrayStream*, ArrowSchema*) { return 0; };
  CHECK_THROWS(arrow::Table(arrow::ArrowStream(copy)), Error, contains(error.what(), "gave no schema"));
  copy = stream;
  copy.get_next = nullptr;
  CHECK_THROWS(arrow::Table(arrow::ArrowStream(copy)), Error, error.code() == ErrorCode::invalid_format);
}
