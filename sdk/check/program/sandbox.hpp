#pragma once
// Runs a test in a process of its own, so that a plugin that crashes, hangs or exits is a result and not the end.

#include <chrono>
#include <string>

#include "check/program/suite.hpp"

namespace ocelot::check {

enum class Verdict { passed, failed, skipped, warned, crashed };
std::string nameOf(Verdict verdict);

struct Result {
  Verdict verdict = Verdict::passed;
  std::string why;  // one line or more; "" when passed
};

Result runApart(const Test& test, Subject& subject, std::chrono::seconds timeout);
Result runHere(const Test& test, Subject& subject);  // for a debugger

}  // namespace ocelot::check
