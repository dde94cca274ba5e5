#include "image_config.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <sys/utsname.h>

#include <algorithm>
#include <sstream>

#include "digest.hpp"

namespace ocelot::oci {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

[[noreturn]] void refuse(const std::string& where, const std::string& why) {
  throw Error(Status::invalid, where + ": " + why);
}

// Runs a reader of parsed JSON; whatever Poco throws about types and syntax becomes one kind of error.
template <typename Read>
auto parsed(const std::string& text, const std::string& where, Read read) {
  if (text.size() > kMaxDescription) refuse(where, "longer than 4 MiB");
  try {
    Poco::JSON::Parser parser;
    parser.setDepth(64);
    return read(parser.parse(text));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    refuse(where, std::string("not the JSON that was expected (") + e.what() + ")");
  }
}

std::string optionalText(const Object& object, const std::string& key) {
  return object.has(key) && !object.isNull(key) ? object.getValue<std::string>(key) : std::string();
}

Blob blob(const Object& descriptor, const std::string& where) {
  Blob result;
  result.digest = descriptor.getValue<std::string>("digest");
  if (!isDigest(result.digest)) refuse(where, "a digest that is not sha256: and 64 hexadecimal digits");
  const auto size = descriptor.getValue<Poco::Int64>("size");
  if (size < 0) refuse(where, "a negative size");
  result.size = static_cast<std::uint64_t>(size);
  return result;
}

// A path within an archive that is safe to append to a folder's.
std::string innerPath(const std::string& path, const std::string& where) {
  if (path.empty() || path.front() == '/' || ("/" + path + "/").find("/../") != std::string::npos ||
      path.size() > 512 || path.find('\0') != std::string::npos)
    refuse(where, "a path that leads out of the archive");
  return path;
}

Manifest readIndex(const Array& manifests, const std::string& where) {
  Manifest result;
  if (manifests.size() > 1000) refuse(where, "more than 1,000 manifests");
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    const auto entry = manifests.getObject(static_cast<unsigned>(i));
    if (!entry) refuse(where, "an index of something else than manifests");
    Manifest::Choice choice;
    choice.digest = blob(*entry, where).digest;
    if (const auto platform = entry->getObject("platform")) {
      choice.architecture = optionalText(*platform, "architecture");
      choice.os = optionalText(*platform, "os");
    }
    if (const auto annotations = entry->getObject("annotations"))
      choice.name = optionalText(*annotations, "org.opencontainers.image.ref.name");
    result.choices.push_back(std::move(choice));
  }
  if (result.choices.empty()) refuse(where, "an index without manifests");
  return result;
}

Pairs environmentOf(const Object& config, const std::string& where) {
  Pairs pairs;
  const auto env = config.getArray("Env");
  for (std::size_t i = 0; env && i < env->size(); ++i) {
    const std::string text = env->getElement<std::string>(static_cast<unsigned>(i));
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || text.find('\0') != std::string::npos)
      refuse(where, "an environment entry that is not NAME=value");
    pairs.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (pairs.size() > 1000) refuse(where, "more than 1,000 environment variables");
  return pairs;
}

}  // namespace

std::uint64_t Manifest::bytes() const {
  std::uint64_t sum = config.size;
  for (const Blob& layer : layers) sum += layer.size;
  return sum;
}

Manifest parseManifest(const std::string& text, const std::string& where) {
  return parsed(text, where, [&](const Poco::Dynamic::Var& value) {
    const auto object = value.extract<Object::Ptr>();
    if (object->getValue<int>("schemaVersion") != 2)
      refuse(where, "a manifest of version 1, which no tool writes any more; push the image again");
    if (const auto manifests = object->getArray("manifests")) return readIndex(*manifests, where);
    Manifest result;
    const auto config = object->getObject("config");
    const auto layers = object->getArray("layers");
    if (!config || !layers) refuse(where, "neither an image nor an index of images");
    result.config = blob(*config, where);
    if (layers->size() > kMaxLayers) refuse(where, "more than 127 layers; flatten the image");
    for (std::size_t i = 0; i < layers->size(); ++i) {
      const auto layer = layers->getObject(static_cast<unsigned>(i));
      if (!layer) refuse(where, "a layer that is not described");
      result.layers.push_back(blob(*layer, where));
    }
    return result;
  });
}

std::string chooseManifest(const Manifest& index, const std::string& where) {
  const std::string machine = machineArchitecture();
  std::string others;
  for (const auto& choice : index.choices) {
    const bool fits = choice.os.empty() || choice.os == "linux";
    if (fits && (choice.architecture == machine || (choice.architecture.empty() && index.choices.size() == 1)))
      return choice.digest;
    if (choice.architecture != "unknown" && !choice.architecture.empty())
      others += (others.empty() ? "" : ", ") + choice.os + "/" + choice.architecture;
  }
  if (index.choices.size() == 1 && others.empty()) return index.choices.front().digest;
  refuse(where, "there is no image for linux/" + machine + (others.empty() ? "" : "; there is " + others));
}

SavedImage parseSaved(const std::string& text, const std::string& where) {
  return parsed(text, where, [&](const Poco::Dynamic::Var& value) {
    const auto images = value.extract<Array::Ptr>();
    if (images->size() != 1) refuse(where, "holds " + std::to_string(images->size()) + " images; save one at a time");
    const auto object = images->getObject(0);
    SavedImage saved;
    saved.config = innerPath(object->getValue<std::string>("Config"), where);
    const auto layers = object->getArray("Layers");
    if (!layers || layers->size() > kMaxLayers) refuse(where, "no layers, or more than 127");
    for (std::size_t i = 0; i < layers->size(); ++i)
      saved.layers.push_back(innerPath(layers->getElement<std::string>(static_cast<unsigned>(i)), where));
    return saved;
  });
}

ImageConfig parseConfig(const std::string& text, const std::string& where) {
  return parsed(text, where, [&](const Poco::Dynamic::Var& value) {
    const auto object = value.extract<Object::Ptr>();
    ImageConfig result;
    result.image.architecture = optionalText(*object, "architecture");
    const std::string os = optionalText(*object, "os");
    if (!os.empty() && os != "linux") refuse(where, "an image for " + os + ", and this is Linux");
    if (const auto config = object->getObject("config")) {
      result.image.user = optionalText(*config, "User");
      result.image.working_dir = optionalText(*config, "WorkingDir");
      result.image.env = environmentOf(*config, where);
    }
    const std::string& directory = result.image.working_dir;
    // A working directory below /proc/self/fd has been a way out of containers.
    if (!directory.empty() && (directory.front() != '/' || directory.find('\0') != std::string::npos ||
                               (directory + "/").rfind("/proc/", 0) == 0))
      refuse(where, "WORKDIR " + directory.substr(0, 200) + " is not an absolute path outside /proc");
    const auto rootfs = object->getObject("rootfs");
    const auto diff_ids = rootfs ? rootfs->getArray("diff_ids") : Array::Ptr();
    if (!diff_ids) refuse(where, "the configuration lists no layers (rootfs.diff_ids)");
    for (std::size_t i = 0; i < diff_ids->size(); ++i) {
      result.diff_ids.push_back(diff_ids->getElement<std::string>(static_cast<unsigned>(i)));
      if (!isDigest(result.diff_ids.back())) refuse(where, "a layer's digest that is not sha256");
    }
    return result;
  });
}

std::string makeConfig(const std::string& diff_id) {
  Array diff_ids;
  diff_ids.add(diff_id);
  Object rootfs;
  rootfs.set("type", "layers");
  rootfs.set("diff_ids", diff_ids);
  Array env;
  env.add("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  Object config;
  config.set("Env", env);
  Object object;
  object.set("architecture", machineArchitecture());
  object.set("os", "linux");
  object.set("config", config);
  object.set("rootfs", rootfs);
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

std::string machineArchitecture() {
  utsname name{};
  ::uname(&name);
  const std::string machine = name.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return machine;
}

void checkArchitecture(const std::string& architecture, const std::string& where) {
  const std::string machine = machineArchitecture();
  if (architecture.empty() || architecture == machine || (machine == "amd64" && architecture == "386")) return;
  refuse(where, "an image for " + architecture + ", and this machine is " + machine +
                    "; use an image of this architecture, or a machineTag of workers that have the other");
}

std::string encodeStored(const StoredManifest& manifest) {
  Array env, layers;
  for (const auto& [key, value] : manifest.image.env) {
    Array pair;
    pair.add(key);
    pair.add(value);
    env.add(pair);
  }
  for (const std::string& layer : manifest.layers) layers.add(layer);
  Object object;
  object.set("version", 1);
  object.set("digest", manifest.image.digest);
  object.set("user", manifest.image.user);
  object.set("working_dir", manifest.image.working_dir);
  object.set("architecture", manifest.image.architecture);
  object.set("env", env);
  object.set("layers", layers);
  object.set("bytes", static_cast<Poco::UInt64>(manifest.bytes));
  std::ostringstream out;
  object.stringify(out);
  return out.str();
}

StoredManifest decodeStored(const std::string& text, const std::string& where) {
  return parsed(text, where, [&](const Poco::Dynamic::Var& value) {
    const auto object = value.extract<Object::Ptr>();
    if (object->getValue<int>("version") != 1) refuse(where, "written by another version");
    StoredManifest result;
    result.image.digest = object->getValue<std::string>("digest");
    result.image.user = object->getValue<std::string>("user");
    result.image.working_dir = object->getValue<std::string>("working_dir");
    result.image.architecture = object->getValue<std::string>("architecture");
    const auto env = object->getArray("env");
    for (std::size_t i = 0; env && i < env->size(); ++i) {
      const auto pair = env->getArray(static_cast<unsigned>(i));
      result.image.env.emplace_back(pair->getElement<std::string>(0), pair->getElement<std::string>(1));
    }
    const auto layers = object->getArray("layers");
    for (std::size_t i = 0; layers && i < layers->size(); ++i)
      result.layers.push_back(layers->getElement<std::string>(static_cast<unsigned>(i)));
    result.bytes = object->getValue<Poco::UInt64>("bytes");
    return result;
  });
}

}  // namespace ocelot::oci
