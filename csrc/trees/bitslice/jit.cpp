#include "trees/bitslice/jit.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "cpu/isa.hpp"
#include "trees/bitslice/emitter.hpp"

namespace shortlist {
namespace {

bool switched_off() {
  const char* const value = std::getenv("SHORTLIST_JIT");
  if (value == nullptr || *value == '\0' || std::string_view(value) == "1") return false;
  if (std::string_view(value) == "0") return true;
  throw Error(ErrorCode::invalid_argument,
              "SHORTLIST_JIT: got \"" + std::string(value) + "\", expected 0 or 1");
}

// Pages that are written before they are sealed, and given back unless they are taken.
class CodePages {
 public:
  explicit CodePages(std::size_t bytes) : bytes_(bytes) {
    void* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return;
    pages_ = static_cast<std::byte*>(pages);
#if defined(MADV_HUGEPAGE)
    // Fewer faults while a large forest is compiled; where the system has no large pages nothing changes.
    static_cast<void>(madvise(pages_, bytes, MADV_HUGEPAGE));
#endif
  }
  ~CodePages() {
    if (pages_ != nullptr) munmap(pages_, bytes_);
  }
  CodePages(const CodePages&) = delete;
  CodePages& operator=(const CodePages&) = delete;

  [[nodiscard]] bool granted() const noexcept { return pages_ != nullptr; }
  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {pages_, bytes_}; }
  // Executable, and no longer writable; false where the system refuses.
  [[nodiscard]] bool seal() const noexcept { return mprotect(pages_, bytes_, PROT_READ | PROT_EXEC) == 0; }
  [[nodiscard]] std::byte* take() noexcept { return std::exchange(pages_, nullptr); }

 private:
  std::byte* pages_ = nullptr;
  std::size_t bytes_;
};

}  // namespace

bool jit_allowed() {
  const bool off = switched_off();
#if defined(__x86_64__)
  const Isa isa = chosen_isa();
  return !off && (isa == Isa::avx512 || isa == Isa::avx512vbmi);
#else
  static_cast<void>(off);
  return false;
#endif
}

LogicJit::LogicJit(std::span<const std::span<const LogicInstruction>> programs, std::size_t vector_bytes,
                   std::size_t n_vectors) {
  const bool allowed = jit_allowed();
  if (vector_bytes != 16 && vector_bytes != 32 && vector_bytes != 64) {
    throw Error(
        ErrorCode::invalid_argument,
        "vectors of logic programs: got " + std::to_string(vector_bytes) + " bytes, expected 16, 32 or 64");
  }
  if (n_vectors > LogicEmitter::kMaxMemoryBytes / vector_bytes) {
    throw Error(ErrorCode::unsupported, "memory of logic programs: " + std::to_string(n_vectors) +
                                            " vectors are more than 2^31 bytes");
  }
  std::size_t n_instructions = 0;
  for (const auto& program : programs) n_instructions += program.size();
  if (programs.empty() || !allowed) return;

  const std::size_t room = LogicEmitter::room_for(n_instructions, programs.size());
  CodePages pages(room);
  if (!pages.granted()) return;
  LogicEmitter emitter(pages.bytes(), vector_bytes);
  std::vector<std::size_t> starts;
  starts.reserve(programs.size());
  for (const auto& program : programs) starts.push_back(emitter.function(program));
  if (!pages.seal()) return;
  starts_ = std::move(starts);
  code_bytes_ = emitter.size();
  page_bytes_ = room;
  pages_ = pages.take();
}

LogicJit::~LogicJit() {
  if (pages_ != nullptr) munmap(pages_, page_bytes_);
}

LogicJit::LogicJit(LogicJit&& other) noexcept
    : pages_(std::exchange(other.pages_, nullptr)),
      page_bytes_(std::exchange(other.page_bytes_, 0)),
      code_bytes_(std::exchange(other.code_bytes_, 0)),
      starts_(std::move(other.starts_)) {}

LogicJit& LogicJit::operator=(LogicJit&& other) noexcept {
  std::swap(pages_, other.pages_);
  std::swap(page_bytes_, other.page_bytes_);
  std::swap(code_bytes_, other.code_bytes_);
  std::swap(starts_, other.starts_);
  return *this;
}

}  // namespace shortlist
