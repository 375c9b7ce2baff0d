// Requests against a packed bundle: no heap allocation once warm, and no crash whatever the request or the
// files hold.
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "check.hpp"
#include "pipeline/engine.hpp"

// The C library's own allocator stands behind these, so that every allocation of the process is counted.
// Sanitizers bring their own allocator, and a static program takes no second one: there only answers are
// checked.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(SHORTLIST_STATIC_PROGRAM)
#define COUNTS_ALLOCATIONS 1
static std::atomic<std::size_t> allocations{0};
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t n, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t n, std::size_t size) {
  ++allocations;
  return __libc_calloc(n, size);
}
void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
}
#endif

using namespace shortlist;
using pipeline::Engine;
using pipeline::EngineOptions;
using pipeline::Failure;

namespace {

const std::string kFixture = SHORTLIST_FIXTURES "/schema-1.0";

const std::vector<std::string> kRequests = {
    R"({"user":{"id":3},"k":10})",
    R"({"user":{"id":3,"age":44,"city":"Oslo"},"context":{"hour":7},"k":20,"request_id":"a\u00e9"})",
    R"({"vector":[1,2,3,4,5,6,7,8],"k":50,"exclude":["item-3","item-4","gone"]})",
    R"({"like":["item-1","item-2"],"k":5,"filter":"price < 50 and genre in ['jazz','drama'] or tags == 'rare'"})",
    R"({"user":{"id":999},"k":7})",
    R"({"candidates":["item-9",{"id":"item-8","price":3.5,"genre":"jazz"},"nope"],"user":{"id":1},"k":3})",
};
const std::string kRows =
    R"({"rows":[{"user.age":33,"item.price":12.5,"item.genre":"jazz"},{},{"similarity":0.5}]})";

// The reply, or the message of a failure.
std::string ask(const Engine& engine, std::string_view body, Arena& arena) {
  arena.reset();
  Failure failure;
  std::string_view reply;
  const bool done = body.find("\"rows\"") != std::string_view::npos
                        ? engine.score_json(body, arena, reply, failure)
                        : engine.rank_json(body, false, arena, reply, failure);
  return std::string(done ? reply : failure.message);
}

class Copy {
 public:
  Copy()
      : path_(std::filesystem::temp_directory_path() / ("shortlist-requests-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::copy(kFixture, path_);
  }
  ~Copy() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_; }
  void write(const std::string& file, const std::string& bytes) const {
    std::ofstream(path_ / file, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::filesystem::path path_;
};

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE(a_warm_request_allocates_nothing) {
  const Engine engine(kFixture, EngineOptions{});
  Arena arena;
  std::vector<std::string> bodies = kRequests;
  bodies.push_back(kRows);
  std::vector<std::string> first;
  for (const std::string& body : bodies) first.push_back(ask(engine, body, arena));
  for (const std::string& reply : first)
    CHECK(reply.starts_with("{\"ids\":[") || reply.starts_with("{\"scores\":["));
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    arena.reset();
    Failure failure;
    std::string_view reply;
    const bool scores = bodies[i] == kRows;
#ifdef COUNTS_ALLOCATIONS
    const std::size_t before = allocations;
#endif
    const bool done = scores ? engine.score_json(bodies[i], arena, reply, failure)
                             : engine.rank_json(bodies[i], false, arena, reply, failure);
#ifdef COUNTS_ALLOCATIONS
    CHECK_EQ(allocations - before, 0u);
#endif
    CHECK(done);
    CHECK_EQ(reply, first[i]);
  }
}

#ifdef COUNTS_ALLOCATIONS
TEST_CASE(allocations_are_seen) {
  const std::size_t before = allocations;
  Arena arena;
  static_cast<void>(arena.allocate(1));
  CHECK(allocations > before);
}
#endif

TEST_CASE(mutated_requests_are_answered_or_refused) {
  const Engine engine(kFixture, EngineOptions{});
  Arena arena;
  std::mt19937_64 random(3);
  static constexpr std::string_view kBytes = "{}[]\",:0e-.\\u' item\xff\xc3";
  for (int i = 0; i < 60000; ++i) {
    std::string body = i % 7 == 6 ? kRows : kRequests[random() % kRequests.size()];
    for (std::uint64_t edits = 1 + random() % 4; edits > 0 && !body.empty(); --edits) {
      const std::size_t at = random() % body.size();
      switch (random() % 3) {
        case 0:
          body[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          body.erase(at, 1 + random() % 6);
          break;
        default:
          body.insert(at, 1, kBytes[random() % kBytes.size()]);
      }
    }
    CHECK(!ask(engine, body, arena).empty());
  }
}

TEST_CASE(damaged_files_are_refused_or_harmless) {
  const Copy copy;
  std::mt19937_64 random(4);
  const std::vector<std::string> files = {"items.safetensors",  "users.safetensors", "index.safetensors",
                                          "ranker.safetensors", "features.json",     "bundle.json"};
  std::size_t refused = 0;
  std::size_t loaded = 0;
  Arena arena;
  for (const std::string& file : files) {
    const std::string good = read(kFixture + "/" + file);
    for (int i = 0; i < 400; ++i) {
      std::string bad = good;
      for (std::uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
        bad[random() % bad.size()] = static_cast<char>(random() % 4 == 0 ? 0xFF : random());
      }
      copy.write(file, bad);
      try {
        const Engine engine(copy.path(), EngineOptions{});
        for (const std::string& body : kRequests) static_cast<void>(ask(engine, body, arena));
        static_cast<void>(ask(engine, kRows, arena));
        ++loaded;
      } catch (const Error&) {
        ++refused;
      }
    }
    copy.write(file, good);
  }
  CHECK(refused > 100);
  CHECK(loaded > 100);
}

TEST_CASE(a_newer_schema_a_missing_file_and_a_link_are_refused) {
  const Copy copy;
  const auto refuses = [&](ErrorCode code, std::string_view fragment) {
    CHECK_THROWS(
        Engine(copy.path(), EngineOptions{}), Error,
        error.code() == code && std::string_view(error.what()).find(fragment) != std::string_view::npos);
  };
  const std::string manifest = read(kFixture + "/bundle.json");
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string text = manifest;
    text.replace(text.find(from), from.size(), to);
    copy.write("bundle.json", text);
  };
  replaced("\"1.0\"", "\"2.0\"");
  refuses(ErrorCode::unsupported, "schema 2.0");
  replaced("\"items.safetensors\": {", "\"../items.safetensors\": {");
  refuses(ErrorCode::invalid_format, "could leave the folder");
  copy.write("bundle.json", manifest);
  std::filesystem::remove(copy.path() + "/users.safetensors");
  refuses(ErrorCode::not_found, "users.safetensors");
  std::filesystem::create_symlink(kFixture + "/users.safetensors", copy.path() + "/users.safetensors");
  refuses(ErrorCode::io, "symbolic link");
  std::filesystem::remove(copy.path() + "/users.safetensors");
  copy.write("users.safetensors", read(kFixture + "/users.safetensors") + "x");
  refuses(ErrorCode::mismatch, "users.safetensors: 2049 bytes");
}
