// Images that come from no registry.

#include <sys/stat.h>

#include <optional>

#include "archive.hpp"
#include "docker.hpp"
#include "engine.hpp"
#include "json.hpp"
#include "pull_stream.hpp"
#include "reference.hpp"

namespace ocelot::docker {
namespace {

std::uint64_t sizeOf(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) ? static_cast<std::uint64_t>(about.st_size) : 0;
}

// What POST /images/load calls the image that it made, as a name that the engine takes.
std::string loadedName(const std::string& conclusion) {
  for (const char* prefix : {"Loaded image ID: ", "Loaded image: "}) {
    if (conclusion.rfind(prefix, 0) != 0) continue;
    const std::string name = conclusion.substr(std::string(prefix).size());
    const bool id = name.size() == 71 && name.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
    return id ? name : parseReference(name).asked();
  }
  return "";
}

}  // namespace

Image Docker::importImage(Call& call, const std::string& source, const std::string& reference,
                          const ProgressSink& sink) {
  const Reference wanted = parseReference(reference);
  if (!wanted.digest.empty()) {
    throw Error(Status::invalid, "docker: importing " + source + " as " + wanted.full() +
                                     ": a digest cannot be given, it follows from the content");
  }
  const std::optional<Image> before = findImage(call, wanted.asked(), wanted);
  const std::string local = "docker:";
  if (source.rfind(local, 0) == 0) {
    const Reference from = parseReference(source.substr(local.size()));
    tag(call, from.asked(), wanted);
  } else {
    const ImageSource image = lookInto(call, source);
    const bool archive = image.kind == ImageSource::Kind::archive;
    PullStream stream("importing " + wanted.full(), sink);
    Question question;
    question.doing = "importing " + source + " as " + wanted.full();
    question.method = "POST";
    question.path =
        archive ? "/images/load?quiet=1"
                : "/images/create?fromSrc=-&repo=" + urlEncoded(wanted.name()) + "&tag=" + urlEncoded(wanted.tag);
    question.endless = true;
    // While the engine unpacks what it was given, it says nothing.
    question.idle = std::chrono::minutes(30);
    question.lines = [&](const std::string& line) { stream.line(line); };
    const std::uint64_t total = sizeOf(source);
    std::uint64_t told = 0;
    question.upload = [&](const Put& put) {
      std::uint64_t done = 0;
      writeTar(call, image, [&](const char* data, std::size_t size) {
        done += size;
        if (sink && done >= told + (8u << 20)) {
          told = done;
          sink({"importing " + wanted.full(), done, std::max(done, total)});
        }
        return put(data, size);
      });
    };
    const Answer answer = engine_->ask(call, question);
    if (answer.status != 200) {
      throw engine_->refusal(answer.status < 500 ? Status::invalid : Status::unavailable, question, answer);
    }
    if (!stream.error().empty()) throw Error(Status::invalid, "docker: " + question.doing + ": " + stream.error());
    if (stream.conclusion().empty()) {
      throw Error(Status::unavailable,
                  "docker: " + question.doing + ": the engine did not say that it is done; try again");
    }
    if (archive) tag(call, loadedName(stream.conclusion()), wanted);
  }
  if (auto image = findImage(call, wanted.asked(), wanted)) {
    if (before && before->digest != image->digest) dropNameless(call, before->digest);
    return *image;
  }
  throw Error(Status::unavailable,
              "docker: importing " + source + ": the engine does not have " + wanted.full() + " afterwards");
}

// What had the name before is nobody's now, unless it has another, or a container is made from it: then it stays.
void Docker::dropNameless(Call& call, const std::string& id) {
  Question look;
  look.doing = "looking at the image that had the name before";
  look.path = "/images/" + urlEncoded(id) + "/json";
  const Object image = parseObject(engine_->ask(call, look).body);
  for (const char* names : {"RepoTags", "RepoDigests"}) {
    const Array list = arrayOf(image, names);
    if (textOf(image, "Id").empty() || (!list.isNull() && !list->empty())) return;
  }
  Question drop;
  drop.doing = "removing the image that had the name before";
  drop.method = "DELETE";
  drop.path = look.path.substr(0, look.path.size() - 5);
  const Answer answer = engine_->ask(call, drop);
  if (answer.status >= 300) call.log(LogLevel::info, engine_->refusal(Status::invalid, drop, answer).what());
}

}  // namespace ocelot::docker
