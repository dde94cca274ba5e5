// The containers of builds: start, wait, kill, remove, list.

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "container_config.hpp"
#include "docker.hpp"
#include "engine.hpp"
#include "tree.hpp"

namespace ocelot::docker {
namespace {

using std::chrono::milliseconds;

// How long wait() puts up with an engine that is away: a restart, an upgrade.
constexpr std::chrono::seconds kMostAway{60};

// Sleeps, unless the call ends first.
void pause(const Call& call, milliseconds time) {
  if (call.deadline() != Call::Clock::time_point::max()) time = std::min(time, milliseconds(call.remainingMs()));
  pollfd wanted{call.cancelFd(), POLLIN, 0};
  ::poll(&wanted, 1, static_cast<int>(time.count()));
}

Question about(const std::string& doing, const std::string& method, const std::string& path) {
  Question question;
  question.doing = doing;
  question.method = method;
  question.path = path;
  return question;
}

Error noContainer(std::string_view name) {
  return Error(Status::not_found, "docker: there is no container " + printable(name, 130) + " of Ocelot's");
}

// The engine's refusal of a mount, told as what it means: it is not on this machine, or sees other files.
std::string unseen(const std::string& message, const ContainerSpec& spec) {
  if (message.find("does not exist") == std::string::npos && message.find("not shared") == std::string::npos) return "";
  for (const Resource& resource : spec.resources) {
    if (!resource.source.empty() && message.find(resource.source) != std::string::npos) return resource.source;
  }
  return "";
}

}  // namespace

std::optional<Found> Docker::find(Call& call, std::string_view name) {
  if (name.empty()) return std::nullopt;
  const Question question =
      about("looking at container " + printable(name, 130), "GET", "/containers/" + urlEncoded(name) + "/json");
  const Answer answer = engine_->ask(call, question);
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200) throw engine_->refusal(Status::unavailable, question, answer);
  const Object inspection = parseObject(answer.body);
  if (inspection.isNull()) {
    throw Error(Status::unavailable, "docker: " + question.doing + ": the engine's answer is not JSON");
  }
  Found found = readInspection(inspection);
  // The engine takes the beginning of an id for a name, too.
  if (found.id.empty() || found.name != name || found.owner.empty()) return std::nullopt;
  return found;
}

void Docker::start(Call& call, const ContainerSpec& spec) {
  checkSpec(spec);
  if (spec.limits.disk_bytes > 0) {
    call.log(LogLevel::warning,
             "docker: the disk limit of " + spec.name + " is not kept: this engine has no such limit");
  }
  launch(call, spec.name, containerConfig(spec, network_), &spec);
}

// Creates and starts, or leaves nothing. `spec` explains refusals.
void Docker::launch(Call& call, const std::string& name, const std::string& config, const ContainerSpec* spec) {
  Question create = about("creating container " + name, "POST", "/containers/create?name=" + urlEncoded(name));
  create.body = config;
  bool answered = false;
  std::string id;
  try {
    const Answer answer = engine_->ask(call, create);
    answered = true;
    if (answer.status != 201) {
      const std::string message = answer.message();
      const std::string path = spec != nullptr ? unseen(message, *spec) : "";
      if (!path.empty()) {
        throw Error(Status::invalid, "docker: creating container " + name + ": the engine on " + engine_->address() +
                                         " does not see " + path +
                                         " of this worker; run the worker on the engine's machine, with that folder at "
                                         "the same path (the engine says: " +
                                         message + ")");
      }
      if (answer.status == 404) throw engine_->refusal(Status::not_found, create, answer, "pull the image first");
      // Somebody has this name already: what is there is not ours to remove.
      throw engine_->refusal(answer.status < 500 ? Status::invalid : Status::unavailable, create, answer);
    }
    id = textOf(parseObject(answer.body), "Id");
    if (id.empty()) {
      answered = false;
      throw Error(Status::unavailable, "docker: " + create.doing + ": the engine's answer has no id");
    }
  } catch (const Error&) {
    // Without an answer nobody knows whether it was made; with one, the name may be another's.
    if (!answered) discard(call, name);
    throw;
  }
  const Question begin = about("starting container " + name, "POST", "/containers/" + urlEncoded(id) + "/start");
  try {
    const Answer answer = engine_->ask(call, begin);
    if (answer.status != 204 && answer.status != 304) {
      throw engine_->refusal(answer.status < 500 ? Status::invalid : Status::unavailable, begin, answer);
    }
  } catch (const Error&) {
    discard(call, name);
    throw;
  }
}

// After a failure, which is what its caller wants to hear about: this one only tells the log. Works in its own time, as
// the call may be over.
void Docker::discard(Call& call, const std::string& name) {
  try {
    SimpleCall own(milliseconds(10000));
    const std::optional<Found> found = find(own, name);
    if (!found) return;
    const Question question =
        about("removing what is left of " + name, "DELETE", "/containers/" + found->id + "?force=1&v=1");
    const Answer answer = engine_->ask(own, question);
    if (answer.status >= 300 && answer.status != 404) throw engine_->refusal(Status::unavailable, question, answer);
  } catch (const Error& e) {
    call.log(LogLevel::warning, e.what());
  }
}

Exit Docker::wait(Call& call, std::string_view name) {
  auto lastHeard = Call::Clock::now();
  milliseconds backoff(0);
  bool told = false;
  for (;;) {
    try {
      const std::optional<Found> found = find(call, name);
      lastHeard = Call::Clock::now();
      if (!found) throw noContainer(name);
      if (!found->running) return found->exit;
      Question question = about("waiting for container " + found->name, "POST", "/containers/" + found->id + "/wait");
      question.endless = true;
      // Whatever it answers, the container's state is the truth: it tells about memory too.
      (void)engine_->ask(call, question);
      lastHeard = Call::Clock::now();
    } catch (const Error& e) {
      if (e.status() != Status::unavailable || Call::Clock::now() - lastHeard > kMostAway) throw;
      if (!told) call.log(LogLevel::warning, std::string(e.what()) + "; trying again");
      told = true;
    }
    pause(call, backoff);
    backoff = std::clamp(backoff * 2, milliseconds(50), milliseconds(2000));
  }
}

void Docker::kill(Call& call, std::string_view name, int signal) {
  if (signal < 1 || signal > 64) {
    throw Error(Status::invalid, "docker: " + std::to_string(signal) + " is not a signal's number");
  }
  const std::optional<Found> found = find(call, name);
  if (!found || !found->running) throw noContainer(name);
  const Question question = about("sending signal " + std::to_string(signal) + " to container " + found->name, "POST",
                                  "/containers/" + found->id + "/kill?signal=" + std::to_string(signal));
  const Answer answer = engine_->ask(call, question);
  // 409: it ended in between.
  if (answer.status == 404 || answer.status == 409) throw noContainer(name);
  if (answer.status >= 300) throw engine_->refusal(Status::unavailable, question, answer);
}

void Docker::remove(Call& call, std::string_view name) {
  const std::optional<Found> found = find(call, name);
  if (!found) return;
  // The container carries the names of its workspaces, so it goes last.
  endProcesses(call, *found);
  for (const std::string& folder : found->workspaces) clearWorkspace(call, *found, folder);

  const Question question =
      about("removing container " + found->name, "DELETE", "/containers/" + found->id + "?force=1&v=1");
  for (int attempt = 1;; ++attempt) {
    const Answer answer = engine_->ask(call, question);
    if (answer.status == 404 || answer.status < 300) return;
    if (answer.status == 409) {  // somebody else is removing it: until that is done
      const Answer gone = engine_->ask(call, about("waiting until container " + found->name + " is removed", "POST",
                                                   "/containers/" + found->id + "/wait?condition=removed"));
      if (gone.status == 404 || gone.status == 200) return;
    }
    // A mount may be busy for a moment after the last process ended.
    if (attempt == 5) throw engine_->refusal(Status::unavailable, question, answer);
    pause(call, milliseconds(100 * attempt));
    call.check(question.doing);
  }
}

void Docker::endProcesses(Call& call, const Found& found) {
  if (!found.running) return;
  const Question kill =
      about("killing container " + found.name, "POST", "/containers/" + found.id + "/kill?signal=KILL");
  const Answer killed = engine_->ask(call, kill);
  if (killed.status >= 300 && killed.status != 404 && killed.status != 409) {
    throw engine_->refusal(Status::unavailable, kill, killed);
  }
  const Question over =
      about("waiting for the end of container " + found.name, "POST", "/containers/" + found.id + "/wait");
  const Answer ended = engine_->ask(call, over);
  if (ended.status >= 300 && ended.status != 404) throw engine_->refusal(Status::unavailable, over, ended);
}

// What root of the container made, a worker that is an ordinary user cannot remove: then a container of the same image
// does it.
void Docker::clearWorkspace(Call& call, const Found& found, const std::string& folder) {
  if (!emptyFolder(folder)) {
    const std::string name = found.name + ".sweep";
    discard(call, name);  // of an earlier try that was killed
    launch(call, name, sweeperConfig(found.image, found.owner, folder), nullptr);
    try {
      wait(call, name);
    } catch (const Error&) {
      discard(call, name);
      throw;
    }
    discard(call, name);
    if (!emptyFolder(folder)) {
      throw Error(Status::internal,
                  "docker: emptying workspace " + folder + " of " + found.name +
                      ": files of another user are left, and the image has no rm; remove them as root");
    }
  }
  (void)::rmdir(folder.c_str());
}

std::vector<Container> Docker::list(Call& call, std::string_view owner) {
  Poco::JSON::Object filters;
  Poco::JSON::Array labels;
  labels.add(std::string(kOwnerLabel) + "=" + std::string(owner));
  filters.set("label", labels);
  Question question = about("listing the containers of " + printable(owner, 130), "GET",
                            "/containers/json?all=1&filters=" + urlEncoded(toText(filters)));
  question.most = 64u << 20;
  const Answer answer = engine_->ask(call, question);
  if (answer.status != 200) throw engine_->refusal(Status::unavailable, question, answer);
  const Array found = parseArray(answer.body);
  if (found.isNull())
    throw Error(Status::unavailable, "docker: " + question.doing + ": the engine's answer is not JSON");

  std::vector<Container> out;
  for (std::size_t i = 0; i < found->size(); ++i) {
    const Object row = objectAt(found, i);
    const Object tags = objectOf(row, "Labels");
    if (textOf(tags, kOwnerLabel) != owner) continue;
    Container container;
    const Array names = arrayOf(row, "Names");
    for (std::size_t n = 0; !names.isNull() && n < names->size(); ++n) {
      // "/name"; with a second slash it is another container's word for this one.
      const std::string name = textAt(names, n);
      if (name.size() > 1 && name.find('/', 1) == std::string::npos) container.name = name.substr(1);
    }
    if (container.name.empty()) continue;
    const std::string state = textOf(row, "State");
    container.running = state == "running" || state == "paused" || state == "restarting";
    for (const std::string& key : tags->getNames()) {
      if (key != kOwnerLabel && key != kWorkspacesLabel) container.labels.emplace_back(key, textOf(tags, key.c_str()));
    }
    out.push_back(std::move(container));
  }
  return out;
}

}  // namespace ocelot::docker
