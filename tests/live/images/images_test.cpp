// Images from where they really are: a registry that asks for a password, a Docker Engine.

#include <cppunit/extensions/HelperMacros.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/support/installation.hpp"
#include "tests/support/skip.hpp"

namespace ocelot::test {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name, const char* remedy) {
  const char* value = std::getenv(name);
  if (!value || !*value) skip(std::string(name) + " names none: " + remedy);
  return value;
}

std::string pipelineOf(const std::string& image) {
  return "image: " + image + "\nstages:\n  - name: work\n    script: cat /etc/colour\n";
}

// Files below a folder that hold one of the words.
std::string filesWith(const std::string& folder, const std::vector<std::string>& words) {
  std::string out;
  std::error_code gone;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, gone), end; at != end;
       at.increment(gone)) {
    if (!at->is_regular_file(gone)) continue;
    const std::string text = readFile(at->path());
    for (const auto& word : words)
      if (text.find(word) != std::string::npos) out += at->path().string() + "\n";
  }
  return out;
}

class OnOci : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OnOci);
  CPPUNIT_TEST(aPrivateImageIsFetchedWithTheRegistrysCredential);
  CPPUNIT_TEST(anImageOfADockerEngineIsImported);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aPrivateImageIsFetchedWithTheRegistrysCredential() { fetchPrivate("[oci]", "oci"); }

  void anImageOfADockerEngineIsImported() {
    const std::string engine = variable("OCELOT_TEST_DOCKER", "scripts/engines start docker");
    Installation here;
    colour(here);
    const std::string name = "ocelot-test-import-" + std::to_string(::getpid()) + ":1";
    here.run({"/bin/sh", "-c",
              "tar -C " + here.folder() + "/rootfs -cf - . | docker -H " + engine +
                  " import --change 'ENV SHADE=dark' --change 'USER builder' - " + name});
    const auto importIt = [&](const std::string& source) {
      here.run({"/usr/bin/env", "DOCKER_HOST=" + engine, Installation::program("ocelot"), "image", "import",
                "docker:" + source, "ocelot.local/imported", "--config", here.folder() + "/server.yaml"});
    };
    importIt(name);
    try {
      importIt("no-such-image:1");
      CPPUNIT_FAIL("an image that is not there was imported");
    } catch (const std::runtime_error& error) {
      const std::string what = error.what();
      CPPUNIT_ASSERT_MESSAGE(what, what.find("docker:no-such-image:1") != std::string::npos);
    }
    here.run({"docker", "-H", engine, "rmi", name});
    const auto run = here.runBuild(here.makeRepo(
        "imported",
        "image: ocelot.local/imported\nstages:\n  - name: work\n    script: cat /etc/colour; echo $SHADE; id -un\n"));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("blue\ndark\nbuilder\n") != std::string::npos);
    here.awaitClean();
  }

 protected:
  static void colour(Installation& here) {
    here.run({"/bin/sh", "-c", "echo blue >" + here.folder() + "/rootfs/etc/colour"});
  }

  // Pushes the image by the registry's open door; the builds come by the one that asks for a password.
  static void fetchPrivate(const std::string& runtimes, const std::string& tag) {
    const char* const remedy = "scripts/engines start registry";
    const std::string open = variable("OCELOT_TEST_REGISTRY", remedy);
    const std::string closed = variable("OCELOT_TEST_REGISTRY_CLOSED", remedy);
    const std::string user = variable("OCELOT_TEST_REGISTRY_USER", remedy);
    const std::string password = variable("OCELOT_TEST_REGISTRY_PASSWORD", remedy);
    InstallationOptions options;
    options.runtimes = runtimes;
    Installation here(options);
    colour(here);
    const std::string layout = here.folder() + "/layout", image = closed + "/ocelot/private:" + tag;
    here.run({"umoci", "init", "--layout", layout});
    here.run({"umoci", "new", "--image", layout + ":latest"});
    here.run({"umoci", "insert", "--image", layout + ":latest", here.folder() + "/rootfs", "/"});
    here.run({"skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", "oci:" + layout + ":latest",
              "docker://" + open + "/ocelot/private:" + tag});
    const auto set = [&](const std::string& credential) {
      here.run({"/bin/sh", "-c",
                "printf %s '" + credential + "' | " + Installation::program("ocelot") + " secret set --registry " +
                    closed + " --config " + here.folder() + "/server.yaml"});
    };

    const auto repo = here.makeRepo("private", pipelineOf(image));
    const auto refused = [&](const std::string& word) {
      const auto run = here.runBuild(repo);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("error"), run.state);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text(), std::string("unauthenticated"), run.reason);
      for (const std::string& part :
           {image, "from " + closed,
            word + " it, on the machine of the store: " + "ocelot secret set --registry " + closed})
        CPPUNIT_ASSERT_MESSAGE(run.sentence + "\nlacks: " + part, run.sentence.find(part) != std::string::npos);
    };
    refused("set");
    set(user + ":not-the-password");
    refused("correct");
    set(user + ":" + password);
    std::atomic<bool> stop{false};
    std::string seen;
    std::thread watch([&] {  // command lines of every process, all the time
      for (; !stop; ::poll(nullptr, 0, 5))
        for (fs::directory_iterator at("/proc"), end; at != end; ++at)
          if (readFile(at->path() / "cmdline").find(password) != std::string::npos) seen += at->path().string() + "\n";
    });
    const std::string id = here.build(repo);
    std::string trouble;
    try {
      here.awaitEnd(id);
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    stop = true;
    watch.join();
    CPPUNIT_ASSERT_EQUAL(std::string(), trouble);
    const auto run = here.awaitEnd(id);
    here.run({Installation::program("ocelot"), "image", "remove", image, "--config", here.folder() + "/server.yaml"});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(run.text() + run.log, std::string("passed"), run.state);
    CPPUNIT_ASSERT_MESSAGE(run.log, run.log.find("blue\n") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string(), seen);
    const std::string base64 = here.run({"/bin/sh", "-c", "printf %s '" + user + ":" + password + "' | base64 -w0"});
    CPPUNIT_ASSERT_EQUAL(std::string(), filesWith(here.folder(), {password, base64.substr(0, base64.size() - 4)}));
    here.awaitClean();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OnOci);

class OnDocker final : public OnOci {
  CPPUNIT_TEST_SUITE(OnDocker);
  CPPUNIT_TEST(aPrivateImageIsFetchedByTheEngine);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aPrivateImageIsFetchedByTheEngine() {
    const std::string engine = variable("OCELOT_TEST_DOCKER", "scripts/engines start docker");
    fetchPrivate("[{docker: {socket: \"" + engine + "\"}}]", "docker");
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OnDocker);

}  // namespace
}  // namespace ocelot::test
