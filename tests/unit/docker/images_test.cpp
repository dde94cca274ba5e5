// Images and the engine's words about them, against a scripted engine.

#include <algorithm>

#include "plugins/runtime/docker/docker.hpp"
#include "tests/unit/docker/fake_engine.hpp"
#include "tests/unit/docker/fixture.hpp"

namespace ocelot::docker::test {
namespace {

bool asks(const Heard& heard, const std::string& part) { return heard.line.find(part) != std::string::npos; }

const char* const kImage =
    R"({"Id":"sha256:1","Architecture":"amd64","Config":{"User":"app","WorkingDir":"/srv","Env":["A=b=c","PATH=/bin","=x","y",7]}})";

// An engine without the image until a pull answered with `pulled`.
FakeEngine::Script registry(const Reply& pulled, const std::string& image = kImage) {
  auto here = std::make_shared<std::atomic<bool>>(false);
  return [=](const Heard& heard) {
    if (asks(heard, "/images/create")) {
      *here = pulled.bytes.find("Status: ") != std::string::npos;
      return pulled;
    }
    if (asks(heard, "/tag?")) return json(201, "");
    if (asks(heard, "GET")) return *here ? json(200, image) : json(404, R"({"message":"no such image"})");
    return Reply{};
  };
}

const Reply kPulled =
    chunks(200, {R"({"status":"Pulling from library/debian","id":"12"})",
                 R"({"status":"Downloading","progressDetail":{"current":10,"total":100},"id":"a"})",
                 R"({"status":"Downloading","progressDetail":{"current":-5,"total":"many"},"id":"b"})",
                 R"({"status":"Download complete","id":"a"})",
                 R"({"status":"Status: Downloaded newer image for debian:12"})"});

}  // namespace

class ImagesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ImagesTest);
  CPPUNIT_TEST(anImageThatIsHereIsNotAskedFor);
  CPPUNIT_TEST(anImageIsFetchedAndDescribed);
  CPPUNIT_TEST(theCredentialGoesInAHeaderAndNowhereElse);
  CPPUNIT_TEST(refusalsNameTheWholeReferenceAndTheRegistry);
  CPPUNIT_TEST(anErrorWithinSuccessIsAnError);
  CPPUNIT_TEST(aPullThatBreaksOffIsNotTakenForDone);
  CPPUNIT_TEST(importedImagesAreNeverAskedOfARegistry);
  CPPUNIT_TEST(aMirrorServesDockerHubAlone);
  CPPUNIT_TEST(imagesAreListedByTheirWholeName);
  CPPUNIT_TEST(removingAnImageInUseIsExplained);
  CPPUNIT_TEST(aDamagedArchiveIsRefused);
  CPPUNIT_TEST_SUITE_END();

 public:
  void anImageThatIsHereIsNotAskedFor() {
    FakeEngine fake([](const Heard&) { return json(200, kImage); });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    docker.pull(call, {"debian:12", false, "", ""}, {});
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), fake.heard().size());
    CPPUNIT_ASSERT_EQUAL(std::string("GET /v1.41/images/docker.io/library/debian:12/json"), fake.heard().front());
  }

  void anImageIsFetchedAndDescribed() {
    FakeEngine fake(registry(kPulled));
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    std::vector<PullProgress> told;
    const Image image =
        docker.pull(call, {"debian:12", true, "", ""}, [&](const PullProgress& p) { told.push_back(p); });
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/library/debian:12"), image.reference);
    CPPUNIT_ASSERT_EQUAL(std::string("sha256:1"), image.digest);
    CPPUNIT_ASSERT_EQUAL(std::string("app"), image.user);
    CPPUNIT_ASSERT_EQUAL(std::string("/srv"), image.working_dir);
    CPPUNIT_ASSERT_EQUAL(std::string("amd64"), image.architecture);
    CPPUNIT_ASSERT(image.env == (Pairs{{"A", "b=c"}, {"PATH", "/bin"}}));
    CPPUNIT_ASSERT_EQUAL(std::string("POST /v1.41/images/create?fromImage=docker.io%2Flibrary%2Fdebian&tag=12"),
                         fake.heard().front());
    CPPUNIT_ASSERT(!told.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("fetching docker.io/library/debian:12"), told.front().text);
  }

  void theCredentialGoesInAHeaderAndNowhereElse() {
    FakeEngine fake(registry(chunks(200, {R"({"error":"unauthorized: authentication required"})"})));
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    const std::string said = refused(Status::unauthenticated, [&] {
      docker.pull(call, {"r.example:5000/a:1", false, "u", "s3cret"}, {});
    });
    CPPUNIT_ASSERT(said.find("s3cret") == std::string::npos);
    contains(fake.lastHead("/images/create"),
             "X-Registry-Auth: "
             "eyJwYXNzd29yZCI6InMzY3JldCIsInNlcnZlcmFkZHJlc3MiOiJyLmV4YW1wbGU6NTAwMCIsInVzZXJuYW1lIjoidSJ9\r\n");
  }

  void refusalsNameTheWholeReferenceAndTheRegistry() {
    const auto said = [](Status status, const Reply& reply, const std::string& image) {
      FakeEngine fake(registry(reply));
      Docker docker(settingsFor(fake.socket()));
      SimpleCall call;
      return refused(status, [&] { docker.pull(call, {image, false, "", ""}, {}); });
    };
    const auto message = [](int status, const std::string& text) {
      return json(status, "{\"message\":\"" + text + "\"}");
    };
    contains(said(Status::not_found, message(404, "manifest for debian:99 not found: manifest unknown"), "debian:99"),
             "docker: pulling docker.io/library/debian:99 from docker.io: manifest for debian:99 not found");
    contains(
        said(Status::unauthenticated, message(500, "Get https://r:5000/v2/: no basic auth credentials"), "r:5000/x"),
        "pulling r:5000/x:latest from r:5000: Get");
    contains(said(Status::unauthenticated, message(404, "pull access denied for x, repository does not exist"), "x"),
             "add a credential for docker.io");
    contains(said(Status::unavailable, message(500, "dial tcp: lookup r.example: no such host"), "r.example/x"),
             "no such host");
    contains(said(Status::unavailable, message(500, "toomanyrequests: You have reached your pull rate limit"), "x"),
             "try again");
    contains(said(Status::unavailable, json(500, "\x1b[31mred\xff"), "x"), "?[31mred?");
  }

  void anErrorWithinSuccessIsAnError() {
    FakeEngine fake(registry(chunks(
        200, {R"({"status":"Pulling"})", R"({"errorDetail":{"message":"unexpected EOF"},"error":"unexpected EOF"})"})));
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    contains(refused(Status::unavailable, [&] { docker.pull(call, {"x", false, "", ""}, {}); }), "unexpected EOF");
  }

  void aPullThatBreaksOffIsNotTakenForDone() {
    Reply cut = kPulled;
    cut.bytes.resize(cut.bytes.size() - 5);
    for (const Reply& reply : {cut, chunks(200, {R"({"status":"Pulling"})"}), chunks(200, {}), chunks(200, {"{{{"}),
                               chunks(200, {"7", "null"})}) {
      FakeEngine fake(registry(reply));
      Docker docker(settingsFor(fake.socket()));
      SimpleCall call;
      contains(refused(Status::unavailable,
                       [&] {
                         docker.pull(call, {"x", false, "", ""}, {});
                       }),
               "docker.io/library/x:latest");
    }
  }

  void importedImagesAreNeverAskedOfARegistry() {
    FakeEngine fake(registry(kPulled));
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    contains(refused(Status::not_found,
                     [&] {
                       docker.pull(call, {"ocelot.local/base", true, "", ""}, {});
                     }),
             "ocelot image import TAR ocelot.local/base:latest");
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), fake.heard().size());
  }

  void aMirrorServesDockerHubAlone() {
    FakeEngine fake(registry(kPulled));
    Settings settings = settingsFor(fake.socket());
    settings.set("registry_mirror", {"mirror:5000/hub"});
    Docker docker(settings);
    SimpleCall call;
    const Image image = docker.pull(call, {"debian:12", true, "", ""}, {});
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/library/debian:12"), image.reference);
    const auto heard = fake.heard();
    CPPUNIT_ASSERT_EQUAL(
        std::string("POST /v1.41/images/create?fromImage=mirror%3A5000%2Fhub%2Flibrary%2Fdebian&tag=12"), heard[0]);
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            "POST /v1.41/images/mirror:5000/hub/library/debian:12/tag?repo=docker.io%2Flibrary%2Fdebian&tag=12"),
        heard[1]);
    docker.pull(call, {"r:5000/x", true, "", ""}, {});
    contains(fake.heard()[3], "fromImage=r%3A5000%2Fx");
    settings.set("registry_mirror", {"https://mirror"});
    contains(refused(Status::invalid, [&] { Docker{settings}; }), "registry_mirror: ");
  }

  void imagesAreListedByTheirWholeName() {
    FakeEngine fake([](const Heard&) {
      return json(
          200,
          R"([{"Id":"sha256:1","RepoTags":["debian:12","ocelot.local/base:latest"],"Size":5},{"Id":"sha256:2","RepoTags":["<none>:<none>"]},{"Id":"sha256:3","RepoTags":null,"Size":-1}])");
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    const auto images = docker.listImages(call);
    CPPUNIT_ASSERT_EQUAL(std::size_t(2), images.size());
    CPPUNIT_ASSERT_EQUAL(std::string("docker.io/library/debian:12"), images[0].reference);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t(5), images[1].size_bytes);
  }

  void removingAnImageInUseIsExplained() {
    FakeEngine fake([](const Heard&) {
      return json(409, R"({"message":"conflict: image is being used by running container 1"})");
    });
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    contains(refused(Status::invalid, [&] { docker.removeImage(call, "x"); }),
             "remove the containers made from it first");
  }

  void aDamagedArchiveIsRefused() {
    FakeEngine fake([](const Heard&) { return json(404, "{}"); });
    const Folder folder;
    Docker docker(settingsFor(fake.socket()));
    SimpleCall call;
    const auto import = [&](const std::string& source) {
      return [&docker, &call, source] { docker.importImage(call, source, "ocelot.local/x", {}); };
    };
    refused(Status::not_found, import("/nonexistent.tar"));
    contains(refused(Status::invalid, import(folder.write("text", std::string(2000, 'x')))), "is not a tar archive");
    contains(refused(Status::invalid, import(folder.write("empty", std::string(10240, '\0')))), "is empty");
    folder.write("oci/oci-layout", "{}");
    contains(refused(Status::invalid, import(folder.path("oci"))), "is an OCI layout");
    refused(Status::invalid, import("/dev/null"));
    refused(Status::invalid, [&] { docker.importImage(call, folder.path(), "x@sha256:" + std::string(64, '1'), {}); });
    for (const std::string& line : fake.heard()) contains(line, "GET ");
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ImagesTest);

}  // namespace ocelot::docker::test
