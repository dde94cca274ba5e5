// openapi.yaml says what the routes answer, and nothing else.

#include <Poco/JSON/Array.h>
#include <cppunit/extensions/HelperMacros.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/unit/admin/fixture.hpp"

namespace {

using namespace ocelot;
using namespace ocelot::test;

using Roles = std::map<std::string, std::string>;  // "GET /v1/builds" → "viewer"

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string print(const Roles& roles) {
  std::string out;
  for (const auto& [route, role] : roles) out += route + " " + role + "\n";
  return out;
}

class OpenApiTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OpenApiTest);
  CPPUNIT_TEST(everyRouteIsDescribedWithItsRole);
  CPPUNIT_TEST(everyPathParameterIsDescribed);
  CPPUNIT_TEST(answersHaveThePropertiesOfTheirSchemas);
  CPPUNIT_TEST(bodiesHaveTheKeysOfTheirSchemas);
  CPPUNIT_TEST_SUITE_END();

  YAML::Node document_ = YAML::LoadFile(OCELOT_OPENAPI);

  YAML::Node schema(const std::string& name) { return document_["components"]["schemas"][name]; }

  // What was seen of a kind of object over all answers.
  std::map<std::string, std::map<std::string, std::string>> seen_;

  void look(const std::string& kind, const Poco::JSON::Object::Ptr& object) {
    for (const auto& key : object->getNames()) {
      const auto value = object->get(key);
      const std::string type = value.isBoolean()                                 ? "boolean"
                               : value.isInteger()                               ? "integer"
                               : value.isString()                                ? "string"
                               : value.type() == typeid(Poco::JSON::Array::Ptr)  ? "array"
                               : value.type() == typeid(Poco::JSON::Object::Ptr) ? "object"
                                                                                 : "something";
      seen_[kind][key] = type;
      if (kind == "Build" && key == "stages") lookAll("Stage", object->getArray(key));
    }
  }

  void lookAll(const std::string& kind, const Poco::JSON::Array::Ptr& array) {
    for (std::size_t i = 0; i < array->size(); ++i) look(kind, array->getObject(static_cast<unsigned>(i)));
  }

 public:
  void everyRouteIsDescribedWithItsRole() {
    ApiScene scene;
    Roles served, described;
    const http::Routes routes = scene.allRoutes();
    for (const auto& route : routes.all()) {
      CPPUNIT_ASSERT_MESSAGE("twice: " + route.pattern, served.count(route.method + " " + route.pattern) == 0);
      served[route.method + " " + route.pattern] = http::toString(route.role);
    }
    for (const auto& path : document_["paths"])
      for (const auto& operation : path.second) {
        const auto role = operation.second["x-role"];
        described[upper(operation.first.as<std::string>()) + " " + path.first.as<std::string>()] =
            role ? role.as<std::string>() : "none";
        CPPUNIT_ASSERT(operation.second["summary"] && operation.second["responses"]);
        CPPUNIT_ASSERT_EQUAL_MESSAGE("security of " + path.first.as<std::string>(), !role,
                                     bool(operation.second["security"]));
      }
    CPPUNIT_ASSERT_EQUAL(print(served), print(described));
  }

  void everyPathParameterIsDescribed() {
    for (const auto& path : document_["paths"]) {
      const auto pattern = path.first.as<std::string>();
      for (const auto& operation : path.second) {
        std::set<std::string> named;
        for (const auto& parameter : operation.second["parameters"]) {
          YAML::Node node = parameter;
          if (node["$ref"]) {
            const auto reference = node["$ref"].as<std::string>();
            node = document_["components"]["parameters"][reference.substr(reference.rfind('/') + 1)];
          }
          CPPUNIT_ASSERT_MESSAGE(pattern, node && node["name"]);
          if (node["in"].as<std::string>() == "path") named.insert(node["name"].as<std::string>());
        }
        std::set<std::string> wanted;
        for (std::size_t at = 0; (at = pattern.find('{', at)) != std::string::npos; ++at)
          wanted.insert(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
        CPPUNIT_ASSERT_MESSAGE(pattern, named == wanted);
      }
    }
  }

  void answersHaveThePropertiesOfTheirSchemas() {
    ApiScene scene;
    look("Repo", objectOf([&] {
           scene.git = GitRepo(scene.folder.path + "/repo");
           scene.git.write("ocelot.yml", Scene::kPipeline);
           scene.git.commit();
           return scene.send("POST", "/v1/repos", R"({"url": ")" + scene.git.path + R"(", "name": "account/repo"})");
         }()));
    lookAll("Repo", objectOf(scene.send("GET", "/v1/repos"))->getArray("repos"));
    look("Build", objectOf(scene.send("POST", "/v1/builds", R"({"repo": "account/repo"})")));
    look("Build", objectOf(scene.send("GET", "/v1/builds/1")));
    lookAll("Build", objectOf(scene.send("GET", "/v1/builds"))->getArray("builds"));
    scene.engines.discovery->announce({"w1", "host", "http://127.0.0.1:1", {"gpu"}, 2, "0", "", 1, 0});
    lookAll("Worker", objectOf(scene.send("GET", "/v1/workers"))->getArray("workers"));
    look("Drain", objectOf(scene.send("POST", "/v1/workers/w1/drain")));
    look("Token", objectOf(scene.send("POST", "/v1/tokens", R"({"name": "n", "role": "viewer"})")));
    lookAll("Token", objectOf(scene.send("GET", "/v1/tokens"))->getArray("tokens"));
    lookAll("Audit", objectOf(scene.send("GET", "/v1/audit"))->getArray("audit"));
    look("Version", objectOf(scene.send("GET", "/v1/version")));
    look("Error", objectOf(scene.send("GET", "/v1/builds/99")));
    scene.health.set("store", "it is away");
    look("Readiness", objectOf(scene.send("GET", "/readyz")));

    for (const auto& [kind, properties] : seen_) {
      std::map<std::string, std::string> described;
      for (const auto& property : schema(kind)["properties"])
        described[property.first.as<std::string>()] = property.second["type"].as<std::string>();
      CPPUNIT_ASSERT_EQUAL(kind + ":\n" + print(described), kind + ":\n" + print(properties));
    }
  }

  // Each key alone is either taken or refused for its value, never as an unknown one.
  void bodiesHaveTheKeysOfTheirSchemas() {
    ApiScene scene;
    scene.addGitRepo();
    for (const auto& path : document_["paths"])
      for (const auto& operation : path.second) {
        if (!operation.second["requestBody"]) continue;
        const YAML::Node content = operation.second["requestBody"]["content"]["application/json"]["schema"];
        std::string target = path.first.as<std::string>();
        for (const auto& [from, to] :
             std::map<std::string, std::string>{{"{name}", "account%2Frepo"}, {"{secret}", "S"}, {"{id}", "1"}})
          if (const auto at = target.find(from); at != std::string::npos) target.replace(at, from.size(), to);
        const auto method = upper(operation.first.as<std::string>());
        for (const auto& property : content["properties"]) {
          const auto key = property.first.as<std::string>();
          const auto answer = scene.send(method, target, "{\"" + key + "\": []}");
          CPPUNIT_ASSERT_MESSAGE(method + " " + target + ": " + answer.body,
                                 answer.status >= 400 && textOf(answer, "error") != "unknown_key");
        }
        assertRefused(400, "unknown_key", scene.send(method, target, R"({"nobody_has_this": 1})"));
        for (const auto& key : content["required"]) {
          CPPUNIT_ASSERT(content["properties"][key.as<std::string>()]);
        }
        if (content["required"]) assertRefused(400, "missing_key", scene.send(method, target, "{}"));
      }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(OpenApiTest);

}  // namespace
