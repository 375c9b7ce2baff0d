// Runs checks once for each instruction set that the machine has: each in a process of its own, since a
// process keeps the set that it chose first.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>

#include "check.hpp"
#include "cpu/isa.hpp"
#include "environment.hpp"
#include "kernels/kernels.hpp"

// run() must be the first in its process to use kernels, and so must whoever calls this.
template <class Run>
void on_every_isa(const Run& run) {
  for (const shortlist::Isa isa : shortlist::available_isas()) {
    const std::string name(shortlist::isa_name(isa));
    const Variable forced("SHORTLIST_ISA", name.c_str());
    std::cout.flush();  // what waits there would be written by both
    const pid_t child = fork();
    if (child == 0) {
      check::failures = 0;
      try {
        CHECK_EQ(std::string(shortlist::active_kernels().isa), name);
        run();
      } catch (const std::exception& error) {
        check::fail(__FILE__, __LINE__, error.what());
      }
      if (check::failures > 0) std::cerr << "  with SHORTLIST_ISA=" << name << '\n';
      _exit(check::failures == 0 ? 0 : 1);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}
