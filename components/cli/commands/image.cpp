// image import, list, remove: images that come from no registry, kept by this machine's own runtime.

#include <iostream>

#include "components/cli/commands/commands.hpp"
#include "components/cli/json.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/installation.hpp"
#include "host/http/json.hpp"
#include "host/plugin/plugin_library.hpp"
#include "host/runtimes/choices.hpp"
#include "host/runtimes/loaded_runtime.hpp"

namespace ocelot::cli {
namespace {

// The named runtime, or the first that keeps images.
runtimes::LoadedRuntime runtimeWithImages(const Arguments& arguments) {
  const auto installation = installationFor(arguments);
  installation.makeFolders();
  const std::string wanted = arguments.text("runtime");
  std::string names;
  for (const auto& choice : runtimes::choicesOf(installation.config, {})) {
    names += (names.empty() ? "" : ", ") + choice.name;
    if (!wanted.empty() && choice.name != wanted) continue;
    runtimes::LoadedRuntime runtime(choice);
    if (plugin::imagesOf(runtime.get())) return runtime;
    if (!wanted.empty())
      throw Failure("runtime `" + wanted + "` keeps no images of its own", "give them to its engine");
  }
  throw Failure(
      wanted.empty() ? "no configured runtime keeps images of its own" : "there is no runtime `" + wanted + "`",
      "plugins.runtimes has: " + names);
}

class ProgressLine {
 public:
  ~ProgressLine() {
    if (shown_) std::cerr << "\r\x1b[K" << std::flush;
  }
  void show(const PullProgress& step) {
    if (!isTerminal(2)) return;
    std::cerr << "\r\x1b[K" << plain(step.text);
    if (step.total_bytes > 0) std::cerr << "  " << step.done_bytes * 100 / step.total_bytes << "%";
    std::cerr << std::flush;
    shown_ = true;
  }

 private:
  bool shown_ = false;
};

int import(const Arguments& arguments) {
  auto runtime = runtimeWithImages(arguments);
  SimpleCall call;
  Image image;
  {
    ProgressLine line;
    image = plugin::imagesOf(runtime.get())
                ->importImage(call, arguments.word(0), arguments.word(1),
                              [&line](const PullProgress& step) { line.show(step); });
  }
  if (arguments.has("json")) {
    std::cout << jsonOf(
                     {{"reference", image.reference}, {"digest", image.digest}, {"architecture", image.architecture}})
              << "\n";
    return kPassed;
  }
  std::cerr << "imported " << image.reference << "\n";
  std::cout << image.digest << "\n";
  return kPassed;
}

std::string sizeText(std::uint64_t bytes) {
  if (bytes >= 10u << 20) return std::to_string(bytes >> 20) + " MiB";
  return std::to_string((bytes + 1023) >> 10) + " KiB";
}

int list(const Arguments& arguments) {
  auto runtime = runtimeWithImages(arguments);
  SimpleCall call;
  const auto images = plugin::imagesOf(runtime.get())->listImages(call);
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object().key("images").array();
    for (const auto& image : images)
      out.object()
          .field("reference", image.reference)
          .field("digest", image.digest)
          .field("size_bytes", static_cast<std::int64_t>(image.size_bytes))
          .field("last_used_at", image.last_used_us)
          .end();
    out.end().end();
    std::cout << out.text() << "\n";
    return kPassed;
  }
  std::vector<std::vector<std::string>> rows{{"IMAGE", "SIZE", "LAST USED", "DIGEST"}};
  for (const auto& image : images)
    rows.push_back(
        {plain(image.reference), sizeText(image.size_bytes), ago(image.last_used_us), image.digest.substr(0, 19)});
  if (rows.size() == 1) {
    std::cerr
        << "no images yet; a build fetches what it needs, and `ocelot image import` brings one without a registry\n";
  } else {
    std::cout << table(rows);
  }
  return kPassed;
}

int remove(const Arguments& arguments) {
  auto runtime = runtimeWithImages(arguments);
  SimpleCall call;
  plugin::imagesOf(runtime.get())->removeImage(call, arguments.word(0));
  std::cerr << "removed " << arguments.word(0) << "\n";
  return kPassed;
}

}  // namespace

std::vector<Command> addImageCommands() {
  std::vector<Option> options = installationOptions();
  options.push_back({"--runtime", "NAME", "a configured runtime; default: the first that keeps images"});
  return {
      {"image import",
       "SOURCE NAME",
       2,
       2,
       "bring an image without a registry: from a tar file, a folder, or docker:NAME",
       "",
       options,
       import,
       {}},
      {"image list", "", 0, 0, "show this machine's images", "", options, list, {"images"}},
      {"image remove", "NAME", 1, 1, "remove an image", "", options, remove, {}},
  };
}

}  // namespace ocelot::cli
