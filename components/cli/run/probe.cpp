#include "components/cli/run/probe.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "host/http/json.hpp"
#include "host/runtimes/choices.hpp"
#include "host/runtimes/loaded_runtime.hpp"

namespace ocelot::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{20000};  // a probe's own; the child gets a little more before it is ended

std::string factsOf(const builddir::RuntimeChoice& choice) {
  RuntimeFacts facts;
  try {
    SimpleCall call(kPatience);
    facts = runtimes::LoadedRuntime(choice).get().probe(call);
  } catch (const std::exception& error) {
    facts.why_not = error.what();
  }
  http::JsonWriter out;
  out.object().field("engine", facts.engine).field("usable", facts.usable).field("why_not", facts.why_not);
  out.key("features").array();
  for (const auto& [name, value] : facts.features) out.array().value(name).value(value).end();
  out.end().end();
  return out.text();
}

RuntimeFacts decode(const std::string& json) {
  const auto from = Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
  RuntimeFacts facts;
  facts.engine = from->getValue<std::string>("engine");
  facts.usable = from->getValue<bool>("usable");
  facts.why_not = from->getValue<std::string>("why_not");
  for (const auto& pair : *from->getArray("features")) {
    const auto two = pair.extract<Poco::JSON::Array::Ptr>();
    facts.features.emplace_back(two->getElement<std::string>(0), two->getElement<std::string>(1));
  }
  return facts;
}

[[noreturn]] void child(int out, const builddir::RuntimeChoice& choice) {
  const std::string text = factsOf(choice);
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t put = ::write(out, text.data() + done, text.size() - done);
    if (put <= 0) break;
    done += static_cast<std::size_t>(put);
  }
  ::_exit(done == text.size() ? 0 : 1);
}

// Everything that the child writes; "" once it takes too long.
std::string readAll(int from) {
  const auto deadline = Clock::now() + kPatience + milliseconds(5000);
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() < (1u << 20)) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now()).count();
    pollfd wait{from, POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) == 0) return "";
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

RuntimeFacts probe(const builddir::RuntimeChoice& choice) {
  RuntimeFacts facts;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw Failure(std::string("make a pipe: ") + ::strerror(errno));
  const pid_t pid = ::fork();
  if (pid == 0) child(ends[1], choice);
  ::close(ends[1]);
  const std::string text = pid > 0 ? readAll(ends[0]) : "";
  ::close(ends[0]);
  if (pid < 0) throw Failure(std::string("start a process: ") + ::strerror(errno));
  if (text.empty()) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return decode(text);
  const bool slow = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  facts.why_not = slow ? "the plugin does not answer"
                       : "the plugin crashed in probe (" +
                             (WIFSIGNALED(status) ? std::string("SIG") + ::sigabbrev_np(WTERMSIG(status))
                                                  : "exit status " + std::to_string(WEXITSTATUS(status))) +
                             ")";
  return facts;
}

builddir::RuntimeChoice usableRuntime(const Installation& installation, const std::string& wanted) {
  std::string answers, names;
  for (const auto& choice : runtimes::choicesOf(installation.config, {})) {
    names += (names.empty() ? "" : ", ") + choice.name;
    if (!wanted.empty() && choice.name != wanted) continue;
    const RuntimeFacts facts = probe(choice);
    if (facts.usable) return choice;
    answers += (answers.empty() ? "" : "; ") + choice.name + ": " + facts.why_not;
  }
  if (answers.empty()) throw Failure("there is no runtime `" + wanted + "`", "plugins.runtimes has: " + names);
  throw Failure("no container runtime can be used: " + answers, "`ocelot doctor` shows what is missing");
}

}  // namespace ocelot::cli
