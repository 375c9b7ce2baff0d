// The chosen instruction set is the fastest one there is, or the one that SHORTLIST_ISA names.
#include "cpu/isa.hpp"

#include <string>

#include "base/error.hpp"
#include "check.hpp"
#include "environment.hpp"
#include "kernels/kernels.hpp"

using shortlist::available_isas;
using shortlist::chosen_isa;
using shortlist::Isa;
using shortlist::isa_name;

namespace {

// SHORTLIST_ISA for one scope.
class ForcedIsa : Variable {
 public:
  explicit ForcedIsa(const char* name) : Variable("SHORTLIST_ISA", name) {}
};

}  // namespace

TEST_CASE(portable_is_always_there_and_the_slowest) { CHECK(available_isas().front() == Isa::portable); }

TEST_CASE(the_fastest_is_chosen_where_nothing_is_forced) {
  for (const char* unset : {static_cast<const char*>(nullptr), ""}) {
    const ForcedIsa forced(unset);
    CHECK(chosen_isa() == available_isas().back());
  }
}

TEST_CASE(each_available_set_can_be_forced) {
  for (const Isa isa : available_isas()) {
    const ForcedIsa forced(std::string(isa_name(isa)).c_str());
    CHECK(chosen_isa() == isa);
  }
}

TEST_CASE(an_unknown_name_is_refused_with_the_names_that_would_do) {
  const ForcedIsa forced("sse9");
  CHECK_THROWS(chosen_isa(), shortlist::Error, [&] {
    const std::string_view message = error.what();
    return error.code() == shortlist::ErrorCode::invalid_argument &&
           message.find("SHORTLIST_ISA") != message.npos && message.find("\"sse9\"") != message.npos &&
           message.find("portable") != message.npos;
  }());
}

TEST_CASE(the_active_table_is_that_of_the_chosen_set_and_stays) {
  const std::string chosen(isa_name(chosen_isa()));
  const shortlist::KernelTable& table = shortlist::active_kernels();
  CHECK_EQ(std::string(table.isa), chosen);
  const ForcedIsa forced(chosen == "portable" ? nullptr : "portable");
  CHECK_EQ(&shortlist::active_kernels(), &table);
}
