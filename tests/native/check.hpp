// Named test cases for one executable: include once, in the file that holds the cases.
//
// Runs every case, or those named on the command line; exit code 1 where a check failed or none ran.
#pragma once

#include <exception>
#include <iostream>
#include <string_view>
#include <vector>

namespace check {

struct Case {
  std::string_view name;
  void (*run)();
};
inline std::vector<Case> cases;
inline int failures = 0;

struct Register {
  Register(std::string_view name, void (*run)()) { cases.push_back({name, run}); }
};

inline void fail(const char* file, int line, std::string_view what) {
  std::cerr << file << ':' << line << ": " << what << '\n';
  ++failures;
}

template <class A, class B>
void equal(const A& got, const B& expected, const char* file, int line, std::string_view what) {
  if (got == expected) return;
  fail(file, line, what);
  std::cerr << "  got " << got << ", expected " << expected << '\n';
}

}  // namespace check

#define TEST_CASE(name)                                  \
  static void name();                                    \
  static const check::Register name##_case(#name, name); \
  static void name()
#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : check::fail(__FILE__, __LINE__, "failed: " #condition))
#define CHECK_EQ(got, expected) check::equal((got), (expected), __FILE__, __LINE__, #got " == " #expected)
// Passes where `expression` throws an `Exception` for which `condition`, on `error`, holds.
#define CHECK_THROWS(expression, Exception, condition)               \
  try {                                                              \
    static_cast<void>(expression);                                   \
    check::fail(__FILE__, __LINE__, "threw nothing: " #expression);  \
  } catch (const Exception& error) {                                 \
    if (!(condition)) check::fail(__FILE__, __LINE__, error.what()); \
  }

int main(int argc, char** argv) {
  int ran = 0;
  for (const check::Case& test : check::cases) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i) wanted = wanted || test.name == argv[i];
    if (!wanted) continue;
    const int before = check::failures;
    try {
      test.run();
    } catch (const std::exception& error) {
      check::fail(__FILE__, __LINE__, error.what());
    }
    std::cout << (check::failures == before ? "passed " : "FAILED ") << test.name << '\n';
    ++ran;
  }
  if (ran == 0) std::cerr << "no case of that name\n";
  return ran > 0 && check::failures == 0 ? 0 : 1;
}
