// What a runtime does without and, with --live, with containers.

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "check/program/subject.hpp"
#include "check/program/suite.hpp"

namespace ocelot::check {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

std::unique_ptr<Runtime> made(Subject& subject, const Settings& settings) {
  std::string why;
  std::unique_ptr<Runtime> runtime;
  if (statusOf([&] { runtime = subject.runtime(settings); }, &why) != Status::ok)
    throw Skipped("with made-up settings it refuses (" + why + "); give real ones with --set");
  return runtime;
}

void needsEngine(Runtime& runtime) {
  TestCall call;
  const RuntimeFacts facts = runtime.probe(call);
  if (!facts.usable) throw Skipped("no builds can run here: " + facts.why_not);
}

void probeAnswers(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  for (int i = 0; i < 2; ++i) {
    TestCall call;
    const RuntimeFacts facts = runtime->probe(call);
    require(facts.usable || !facts.why_not.empty(), "not usable, and no sentence why");
    require(!facts.usable || !facts.engine.empty(), "usable, and no name of the engine");
  }
  subject.rules();
}

void unknownNames(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  needsEngine(*runtime);
  const std::string name = "ocelot-check-nobody-" + std::to_string(getpid());
  TestCall call;
  std::string why;
  Status status = statusOf([&] { runtime->wait(call, name); }, &why);
  require(status == Status::not_found, "wait for a container that is not there is " + nameOf(status) + ": " + why);
  status = statusOf([&] { runtime->kill(call, name, SIGTERM); }, &why);
  require(status == Status::not_found, "kill of a container that is not there is " + nameOf(status) + ": " + why);
  for (int i = 0; i < 2; ++i) {
    status = statusOf([&] { runtime->remove(call, name); }, &why);
    require(status == Status::ok, "remove of a container that is not there is " + nameOf(status) + ": " + why);
  }
  require(runtime->list(call, name).empty(), "list with an owner of nothing gives something");
  for (const std::string& odd : {std::string(), std::string("../../x"), std::string("--help"), std::string("a\0b", 3),
                                 std::string(100000, 'a'), std::string("a/b?force=1&x#")}) {
    status = statusOf([&] { runtime->wait(call, odd); }, &why);
    require(status != Status::ok && status != Status::internal,
            "wait for an odd name is " + nameOf(status) + ": " + why);
    status = statusOf([&] { runtime->remove(call, odd); }, &why);
    require(status != Status::internal, "remove of an odd name is an internal error: " + why);
  }
  subject.rules();
}

void unknownImage(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  needsEngine(*runtime);
  for (const std::string& odd : {std::string("ocelot.invalid/no/such:image"), std::string(), std::string("a b"),
                                 std::string("--help"), std::string("UPPER/case"), std::string(5000, 'a')}) {
    TestCall call{seconds(15)};
    ImageRequest request;
    request.reference = odd;
    std::string why;
    const Status status = statusOf([&] { runtime->pull(call, request, {}); }, &why);
    require(status != Status::ok && status != Status::internal,
            "pull of \"" + odd.substr(0, 40) + "\" is " + nameOf(status) + ": " + why);
  }
  subject.rules();
}

// ── with containers ──

// The image to start from: imported, when a source was given and the plugin can, and then as pull sees it.
Image fetched(Subject& subject, Runtime& runtime) {
  TestCall call{seconds(120)};
  auto* images = dynamic_cast<RuntimeImages*>(&runtime);
  if (!subject.source().empty() && images == nullptr) throw Skipped("it cannot import images");
  if (!subject.source().empty()) images->importImage(call, subject.source(), subject.image(), {});
  ImageRequest request;
  request.reference = subject.image();
  return runtime.pull(call, request, {});
}

// A folder that the container sees, and one container that is gone with this object.
class Box {
 public:
  Box(Subject& subject, Runtime& runtime) : runtime_(runtime) {
    if (subject.image().empty()) throw Skipped("no --image given");
    needsEngine(runtime);
    std::string made = (fs::temp_directory_path() / "ocelot-check-XXXXXX").string();
    require(mkdtemp(made.data()) != nullptr, "no temporary folder");
    folder_ = made;
    ::chmod(folder_.c_str(), 0777);
    const Image image = fetched(subject, runtime);
    spec_.name = "ocelot-check-" + std::to_string(getpid());
    spec_.owner = spec_.name + "-owner";
    spec_.image = image.reference;
    spec_.digest = image.digest;
    spec_.labels = {{"ocelot.build", "check"}, {"ocelot.attempt", "1"}};
    spec_.network = "none";
    spec_.resources = {{Resource::Kind::folder, folder_, "/ocelot-check"},
                       {Resource::Kind::workspace, "", "/workspace"}};
  }
  ~Box() {
    TestCall call;
    statusOf([&] { runtime_.remove(call, spec_.name); });
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  ContainerSpec& spec() { return spec_; }
  void start(const std::string& script) {
    spec_.command = {"/bin/sh", "-c", script};
    TestCall call{seconds(60)};
    runtime_.start(call, spec_);
  }
  Exit wait() {
    TestCall call{seconds(60)};
    return runtime_.wait(call, spec_.name);
  }
  std::size_t listed() {
    TestCall call;
    return runtime_.list(call, spec_.owner).size();
  }
  std::string file(const std::string& name) const {
    std::ifstream in(folder_ + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  Runtime& runtime_;
  std::string folder_;
  ContainerSpec spec_;
};

void exitCodes(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  Box box(subject, *runtime);
  for (const int code : {0, 1, 3, 77, 255}) {
    box.start("exit " + std::to_string(code));
    const Exit ended = box.wait();
    require(ended.known && ended.code == code, "exit code " + std::to_string(code) + " arrives as " +
                                                   (ended.known ? std::to_string(ended.code) : "unknown"));
    TestCall call;
    runtime->remove(call, box.spec().name);
    runtime->remove(call, box.spec().name);
    require(box.listed() == 0, "a removed container is still listed");
  }
  subject.rules();
}

void sharedFolder(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  Box box(subject, *runtime);
  box.start("id -u > /ocelot-check/uid && echo x > /workspace/x && cat /workspace/x > /ocelot-check/work");
  const Exit ended = box.wait();
  require(ended.code == 0, "a script that writes to folder and workspace ends with " + std::to_string(ended.code));
  require(box.file("uid") == "0\n", "the main process runs as uid " + box.file("uid"));
  require(box.file("work") == "x\n", "what was written to the workspace cannot be read");
  subject.rules();
}

void killed(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  Box box(subject, *runtime);
  box.start("sleep 1000");
  require(box.listed() == 1, "a running container is not listed under its owner");
  TestCall call;
  const auto containers = runtime->list(call, box.spec().owner);
  require(containers[0].running && containers[0].name == box.spec().name, "it is listed as another, or as ended");
  bool labelled = false;
  for (const auto& [key, value] : containers[0].labels)
    labelled = labelled || (key == "ocelot.build" && value == "check");
  require(labelled, "its labels are not listed");
  const auto begin = std::chrono::steady_clock::now();
  runtime->kill(call, box.spec().name, SIGKILL);
  const Exit ended = box.wait();
  require(std::chrono::steady_clock::now() - begin < seconds(2), "it took more than 2 s to kill");
  require(!ended.known || ended.code == 128 + SIGKILL, "a killed container ends with " + std::to_string(ended.code));
  require(statusOf([&] { runtime->kill(call, box.spec().name, SIGKILL); }) == Status::not_found,
          "an ended container can be killed again");
  subject.rules();
}

void waitIsCancelled(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  Box box(subject, *runtime);
  box.start("sleep 1000");
  TestCall call{std::chrono::minutes(5)};
  Status status = Status::ok;
  std::thread waiter([&] { status = statusOf([&] { runtime->wait(call, box.spec().name); }); });
  TestCall other;
  const std::size_t listed = runtime->list(other, box.spec().owner).size();  // beside the wait
  const auto begin = std::chrono::steady_clock::now();
  call.cancel();
  waiter.join();
  require(std::chrono::steady_clock::now() - begin < seconds(2), "a cancelled wait took more than 2 s");
  require(status == Status::cancelled, "a cancelled wait is " + nameOf(status));
  require(listed == 1, "list beside a wait gives another answer");
  subject.rules();
}

void failedStart(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  Box box(subject, *runtime);
  box.spec().command = {"/no/such/program"};
  TestCall call{seconds(60)};
  std::string why;
  const Status status = statusOf([&] { runtime->start(call, box.spec()); }, &why);
  require(status != Status::ok, "a program that is not there was started");
  require(box.listed() == 0, "a failed start left a container behind");
  box.start("exit 0");  // under the same name
  box.wait();
  subject.rules();
}

void imagesComeAndGo(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  needsEngine(*runtime);
  auto* images = dynamic_cast<RuntimeImages*>(runtime.get());
  if (images == nullptr || subject.source().empty() || subject.image().empty())
    throw Skipped("it has no ocelot.runtime.images/1, or no --image and --import are given");
  TestCall call{seconds(120)};
  const Image imported = images->importImage(call, subject.source(), subject.image(), {});
  const auto mustBeListed = [&](std::size_t times, const std::string& what) {
    std::size_t count = 0;
    std::string all;
    for (const StoredImage& image : images->listImages(call)) {
      count += image.reference == imported.reference ? 1 : 0;
      all += " " + image.reference;
    }
    require(count == times,
            what + ": " + imported.reference + " is listed " + std::to_string(count) + " times among" + all);
  };
  require(!imported.digest.empty(), "an imported image has no digest");
  mustBeListed(1, "imported once");
  images->importImage(call, subject.source(), subject.image(), {});
  mustBeListed(1, "imported twice");
  images->removeImage(call, subject.image());
  mustBeListed(0, "removed");
  std::string why;
  const Status status =
      statusOf([&] { images->importImage(call, "/no/such/file.tar", "ocelot.local/none", {}); }, &why);
  require(status != Status::ok && status != Status::internal,
          "an import from nowhere is " + nameOf(status) + ": " + why);
  subject.rules();
}

// The process that started it is killed; another one finds it, waits for it, and removes it.
void adopted(Subject& subject) {
  const Settings settings = subject.settings();
  const auto runtime = made(subject, settings);
  Box box(subject, *runtime);
  const pid_t starter = fork();
  if (starter == 0) {
    try {
      box.start("while [ ! -e /ocelot-check/go ]; do sleep 0.1; done; exit 5");
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      _exit(1);
    }
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  waitpid(starter, &status, 0);
  require(WIFSIGNALED(status), "the container could not be started");
  const auto second = subject.runtime(settings);
  TestCall call;
  const auto found = second->list(call, box.spec().owner);
  require(found.size() == 1 && found[0].running,
          "after kill -9 of the process that started it, it is not found running");
  const int go = open((box.spec().resources[0].source + "/go").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  close(go);
  TestCall patient{seconds(60)};
  const Exit ended = second->wait(patient, box.spec().name);
  require(!ended.known || ended.code == 5, "its exit code 5 arrives as " + std::to_string(ended.code));
  second->remove(call, box.spec().name);
  require(second->list(call, box.spec().owner).empty(), "it cannot be removed by another process");
  if (!ended.known) throw Warned("the exit code is forgotten when the process that started it dies");
}

}  // namespace

std::vector<Test> runtimeTests() {
  return {
      {"runtime.probe", "probe answers, engine or none", probeAnswers},
      {"runtime.unknown_names", "containers that are not there are told so, and removed all the same", unknownNames},
      {"runtime.unknown_image", "an image that is not there is no internal error", unknownImage},
      {"runtime.images", "images are imported, listed once, and removed", imagesComeAndGo, true},
      {"runtime.exit_codes", "exit codes arrive; remove is safe twice", exitCodes, true},
      {"runtime.resources", "folder and workspace can be written by the main process, which is root", sharedFolder,
       true},
      {"runtime.killed", "a container is listed with its labels and killed within 2 s", killed, true},
      {"runtime.wait_cancelled", "a wait ends when it is cancelled, and holds up nobody", waitIsCancelled, true},
      {"runtime.failed_start", "a failed start leaves nothing behind", failedStart, true},
      {"runtime.adopted", "it outlives its starter, and another process goes on with it", adopted, true}};
}

}  // namespace ocelot::check
