// init, validate: what needs no server.

#include <filesystem>
#include <iostream>
#include <iterator>

#include "components/cli/checkout.hpp"
#include "components/cli/commands/commands.hpp"
#include "components/cli/run/run.hpp"
#include "components/cli/terminal.hpp"
#include "components/cli/up/installation.hpp"
#include "host/builddir/directory.hpp"
#include "host/http/json.hpp"
#include "host/pipeline/pipeline.hpp"

namespace ocelot::cli {
namespace {

constexpr const char* kSkeleton =
    R"(# What Ocelot does with this repository. `ocelot validate` checks it, `ocelot run` runs it here.
image: debian:12

env:
  - GREETING=hello

stages:
  - name: build
    script:
      - echo "$GREETING from commit $OCELOT_COMMIT_SHORT"
  - name: test
    script: |
      echo "put your tests here"
)";

// Where the server looks for the file: the root of the checkout around us; "" where that is the current folder, or
// there is no checkout. Else it ends with a slash.
std::string rootFromHere() {
  std::optional<std::string> root;
  try {
    root = git(".", {"rev-parse", "--show-cdup"});
  } catch (const Error&) {  // no git: then this is no checkout that anybody could push
  }
  return root.value_or("");
}

int init(const Arguments&) {
  const std::string root = rootFromHere();
  for (const char* name : {"ocelot.yml", "ocelot.yaml"})
    if (std::filesystem::exists(root + name))
      throw Failure("there is already an " + root + name, "`ocelot validate` checks it");
  builddir::replaceFile(root + "ocelot.yml", kSkeleton, 0644);
  std::cerr << "wrote " << root
            << "ocelot.yml\n  ocelot run     runs it here, without a server\n  ocelot build   builds what is "
               "committed\n";
  return kPassed;
}

std::string fileToValidate() {
  const std::string root = rootFromHere();
  const bool yml = std::filesystem::exists(root + "ocelot.yml"), yaml = std::filesystem::exists(root + "ocelot.yaml");
  if (yml && yaml) throw Failure("there are " + root + "ocelot.yml and " + root + "ocelot.yaml", "remove one of them");
  return root + (yaml ? "ocelot.yaml" : "ocelot.yml");
}

int validate(const Arguments& arguments) {
  const std::string file = arguments.word(0).empty() ? fileToValidate() : arguments.word(0);
  const auto bytes = file == "-" ? std::optional<std::string>(std::string(std::istreambuf_iterator<char>(std::cin), {}))
                                 : builddir::readIfPresent(file, 1 << 20);
  if (!bytes) throw Failure("there is no " + file, "`ocelot init` writes one");
  const auto result = pipeline::read(*bytes, file);
  if (arguments.has("json")) {
    http::JsonWriter out;
    out.object().field("valid", result.pipeline.has_value()).key("problems").array();
    for (const auto& problem : result.problems)
      out.object()
          .field("line", problem.line)
          .field("column", problem.column)
          .field("severity", problem.severity == pipeline::Severity::error ? "error" : "warning")
          .field("message", problem.message)
          .field("hint", problem.hint)
          .end();
    out.end().end();
    std::cout << out.text() << "\n";
  } else {
    for (const auto& problem : result.problems) std::cerr << pipeline::toString(problem, file) << "\n";
    if (result.pipeline) std::cerr << file << " is valid\n";
  }
  if (!result.pipeline) return kError;
  const std::string branch = arguments.text("branch");
  if (!branch.empty() && !pipeline::buildsBranch(*result.pipeline, branch)) {
    std::cerr << "branch " << branch << " would not build: no pattern of `branches` matches it\n";
    return kFailed;
  }
  return kPassed;
}

int schema(const Arguments&) {
  std::cout << pipeline::schema();
  return kPassed;
}

}  // namespace

std::vector<Command> addLocalCommands() {
  const std::string group = "Here";
  std::vector<Option> run_options{{"--stage", "STAGE", "only this stage; may be given more than once"},
                                  {"--secret", "NAME", "give the build this variable of your environment as a secret"},
                                  {"--keep", "", "keep the build's folder with its log"},
                                  {"--runtime", "NAME", "a configured runtime; default: the first that can be used"}};
  run_options.insert(run_options.end(), installationOptions().begin(), installationOptions().end());
  return {
      {"run", "", 0, 0, "build the working copy here, without a server", group, run_options, run, {}},
      {"init", "", 0, 0, "write a small ocelot.yml to begin with", group, {}, init, {}},
      {"validate",
       "[FILE]",
       0,
       1,
       "check an ocelot.yml; `-` reads standard input",
       group,
       {{"--branch", "BRANCH", "and tell whether this branch would build"}},
       validate,
       {}},
      {"schema", "", 0, 0, "print the JSON Schema of ocelot.yml, for editors", "", {}, schema, {}},
  };
}

}  // namespace ocelot::cli
