// The images of builds: pull, list, remove. How one comes in without a registry is in import.cpp.

#include <Poco/Base64Encoder.h>

#include <algorithm>
#include <sstream>

#include "docker.hpp"
#include "engine.hpp"
#include "json.hpp"
#include "pull_stream.hpp"
#include "reference.hpp"

namespace ocelot::docker {
namespace {

Question about(const std::string& doing, const std::string& method, const std::string& path) {
  Question question;
  question.doing = doing;
  question.method = method;
  question.path = path;
  return question;
}

std::string credential(const ImageRequest& request, const std::string& registry) {
  Poco::JSON::Object json;
  json.set("username", request.username);
  json.set("password", request.password);
  json.set("serveraddress", registry == "docker.io" ? "https://index.docker.io/v1/" : registry);
  std::ostringstream out;
  Poco::Base64Encoder encoder(out, Poco::BASE64_URL_ENCODING);
  encoder.rdbuf()->setLineLength(0);
  encoder << toText(json);
  encoder.close();
  return out.str();
}

std::string remedyOf(Status status, const Reference& wanted) {
  switch (status) {
    case Status::unauthenticated:
      return "add a credential for " + wanted.registry + ", or correct it";
    case Status::not_found:
      return "check the name in ocelot.yml";
    case Status::unavailable:
      return "the engine could not reach " + wanted.registry + ", or it refused for now: try again";
    default:
      return "";
  }
}

Image readImage(const Object& inspection, const Reference& named) {
  Image image;
  image.reference = named.full();
  image.digest = textOf(inspection, "Id");
  const Object config = objectOf(inspection, "Config");
  image.user = textOf(config, "User");
  image.working_dir = textOf(config, "WorkingDir");
  image.architecture = textOf(inspection, "Architecture");
  const Array env = arrayOf(config, "Env");
  for (std::size_t i = 0; !env.isNull() && i < env->size(); ++i) {
    const std::string line = textAt(env, i);
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos && equals > 0)
      image.env.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return image;
}

}  // namespace

std::optional<Image> Docker::findImage(Call& call, const std::string& asked, const Reference& named) {
  const Question question = about("looking at image " + asked, "GET", "/images/" + asked + "/json");
  const Answer answer = engine_->ask(call, question);
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200) throw engine_->refusal(Status::unavailable, question, answer);
  Image image = readImage(parseObject(answer.body), named);
  if (image.digest.empty()) {
    throw Error(Status::unavailable, "docker: " + question.doing + ": the engine's answer does not describe an image");
  }
  return image;
}

// How the engine is told to fetch: docker.io's images from the mirror, when there is one.
std::string Docker::mirrored(const Reference& wanted) const {
  return wanted.registry == "docker.io" && !mirror_.empty() ? mirror_ + "/" + wanted.repository : wanted.name();
}

Image Docker::pull(Call& call, const ImageRequest& request, const ProgressSink& sink) {
  const Reference wanted = parseReference(request.reference);
  // What a digest names never changes, and the engine keeps it under the name that it was fetched by.
  const std::string kept = wanted.digest.empty() ? wanted.asked() : mirrored(wanted) + "@" + wanted.digest;
  if (!request.refresh || wanted.local() || !wanted.digest.empty()) {
    if (auto image = findImage(call, kept, wanted)) return *image;
  }
  if (wanted.local()) {
    throw Error(Status::not_found, "docker: image " + wanted.full() + ": was not imported into the engine on " +
                                       engine_->address() + "; import it: ocelot image import TAR " + wanted.full());
  }
  fetch(call, wanted, request, sink);
  if (auto image = findImage(call, kept, wanted)) return *image;
  throw Error(Status::unavailable,
              "docker: pulling " + wanted.full() + ": the engine said it was fetched, and does not have it; try again");
}

void Docker::fetch(Call& call, const Reference& wanted, const ImageRequest& request, const ProgressSink& sink) {
  const std::string name = mirrored(wanted);
  const std::string registry = name.substr(0, name.find('/'));
  const std::string version = wanted.digest.empty() ? wanted.tag : wanted.digest;
  PullStream stream("fetching " + wanted.full(), sink);
  Question question = about("pulling " + wanted.full() + " from " + registry, "POST",
                            "/images/create?fromImage=" + urlEncoded(name) + "&tag=" + urlEncoded(version));
  question.endless = true;
  // A layer that is being unpacked is told about several times a second; a registry may think for a while.
  question.idle = std::chrono::minutes(5);
  // A mirror gets no credential that was meant for somebody else.
  if (!request.username.empty() && registry == wanted.registry)
    question.headers.emplace_back("X-Registry-Auth", credential(request, registry));
  question.lines = [&](const std::string& line) { stream.line(line); };

  const Answer answer = engine_->ask(call, question);
  const std::string error = answer.status == 200 ? stream.error() : answer.message();
  if (answer.status != 200 || !error.empty()) {
    Reference asked = wanted;
    asked.registry = registry;
    const Status status = pullStatus(answer.status, error);
    throw Error(status, "docker: " + question.doing + ": " + (error.empty() ? "no reason given" : error) + "; " +
                            remedyOf(status, asked));
  }
  if (stream.conclusion().empty()) {
    throw Error(Status::unavailable, "docker: " + question.doing + ": the engine's progress broke off; try again");
  }
  if (name != wanted.name() && wanted.digest.empty()) tag(call, name + ":" + wanted.tag, wanted);
}

void Docker::tag(Call& call, const std::string& source, const Reference& wanted) {
  const Question question =
      about("naming " + source + " " + wanted.full(), "POST",
            "/images/" + source + "/tag?repo=" + urlEncoded(wanted.name()) + "&tag=" + urlEncoded(wanted.tag));
  const Answer answer = engine_->ask(call, question);
  if (answer.status == 404) throw engine_->refusal(Status::not_found, question, answer);
  if (answer.status != 201) throw engine_->refusal(Status::unavailable, question, answer);
}

std::vector<StoredImage> Docker::listImages(Call& call) {
  Question question = about("listing images", "GET", "/images/json");
  question.most = 64u << 20;
  const Answer answer = engine_->ask(call, question);
  if (answer.status != 200) throw engine_->refusal(Status::unavailable, question, answer);
  const Array rows = parseArray(answer.body);
  if (rows.isNull()) throw Error(Status::unavailable, "docker: listing images: the engine's answer is not JSON");
  std::vector<StoredImage> out;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    const Object row = objectAt(rows, i);
    const Array tags = arrayOf(row, "RepoTags");
    for (std::size_t t = 0; !tags.isNull() && t < tags->size(); ++t) {
      const std::string tag = textAt(tags, t);
      if (tag.empty() || tag == "<none>:<none>") continue;
      StoredImage image;
      image.reference = parseReference(tag).full();
      image.digest = textOf(row, "Id");
      image.size_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, numberOf(row, "Size").value_or(0)));
      out.push_back(std::move(image));
    }
  }
  return out;
}

void Docker::removeImage(Call& call, const std::string& reference) {
  const Reference wanted = parseReference(reference);
  const Question question = about("removing image " + wanted.full(), "DELETE", "/images/" + wanted.asked());
  const Answer answer = engine_->ask(call, question);
  if (answer.status == 200) return;
  if (answer.status == 404) throw engine_->refusal(Status::not_found, question, answer);
  if (answer.status == 409)
    throw engine_->refusal(Status::invalid, question, answer, "remove the containers made from it first");
  throw engine_->refusal(Status::unavailable, question, answer);
}

}  // namespace ocelot::docker
