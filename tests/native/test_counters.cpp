// Counters add up over threads, and a histogram's buckets hold what falls in them.
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "telemetry/counters.hpp"

using namespace shortlist::telemetry;

TEST_CASE(each_value_lies_below_its_bucket_limit_and_not_below_the_one_before) {
  for (std::uint64_t ns = 1; ns < (std::uint64_t{1} << 40); ns += 1 + ns / 7) {
    const std::size_t bucket = bucket_of(ns);
    CHECK(ns < bucket_limit_ns(bucket));
    if (bucket > 0) CHECK(ns >= bucket_limit_ns(bucket - 1));
  }
}

TEST_CASE(threads_lose_no_count) {
  Counters counters("");
  StageTimes times{};
  times[0] = 1000;
  times[7] = 5000;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5000; ++i) {
          counters.count_request(Route::rank, times);
          counters.count_unknown_attribute(i % 2 == 0 ? "user.agee" : "user.citty");
        }
      });
    }
  }
  counters.count_error(Route::score);
  const Snapshot now = counters.snapshot();
  CHECK_EQ(now.routes[0].requests, 20000u);
  CHECK_EQ(now.routes[0].stages[7].count, 20000u);
  CHECK_EQ(now.routes[0].stages[7].sum_ns, 100'000'000u);
  CHECK_EQ(now.routes[0].stages[0].buckets[bucket_of(1000)], 20000u);
  CHECK_EQ(now.routes[1].errors, 1u);
  CHECK_EQ(now.unknown_attributes.size(), 2u);
  CHECK_EQ(now.unknown_attributes[0].first, "user.agee");
  CHECK_EQ(now.unknown_attributes[0].second, 10000u);
}

TEST_CASE(a_flood_of_unknown_names_is_bounded) {
  Counters counters("");
  for (int i = 0; i < 1000; ++i) counters.count_unknown_attribute("user.x" + std::to_string(i));
  const Snapshot now = counters.snapshot();
  CHECK_EQ(now.unknown_attributes.size(), 128u);
  CHECK_EQ(now.uncounted_unknown_attributes, 872u);
}

TEST_CASE(a_long_name_is_cut_between_characters) {
  Counters counters("");
  const std::string ascii(60, 'a');
  counters.count_unknown_attribute(ascii + "\xF0\x9F\x98\x80");  // 64 bytes fit
  counters.count_unknown_attribute(ascii +
                                   "a\xF0\x9F\x98\x80"
                                   "b");  // of the 66 the character's four do not
  counters.count_unknown_attribute(std::string_view("a\0b", 3));
  counters.count_unknown_attribute("");
  const Snapshot now = counters.snapshot();
  CHECK_EQ(now.unknown_attributes.size(), 4u);
  CHECK_EQ(now.unknown_attributes[0].first, "");
  CHECK_EQ(now.unknown_attributes[1].first.size(), 3u);
  CHECK_EQ(now.unknown_attributes[2].first, ascii + "a");
  CHECK_EQ(now.unknown_attributes[3].first, ascii + "\xF0\x9F\x98\x80");
}
