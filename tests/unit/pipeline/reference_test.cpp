// The key table, the JSON Schema and the handbook's page say the same, and every key of the table is really read.

#include <cppunit/extensions/HelperMacros.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "host/pipeline/keys.hpp"
#include "host/pipeline/pipeline.hpp"

namespace {

using namespace ocelot::pipeline;
namespace fs = std::filesystem;

const fs::path kRoot = fs::path(__FILE__).parent_path().parent_path().parent_path().parent_path();

std::string contentOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  CPPUNIT_ASSERT_MESSAGE("cannot read " + path.string(), in.good());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

const std::map<Scope, std::string> kDefinitions = {{Scope::stage, "stage"},      {Scope::trigger, "trigger"},
                                                   {Scope::clone, "clone"},      {Scope::resources, "resources"},
                                                   {Scope::keep, "keep"},        {Scope::notification, "notification"},
                                                   {Scope::notify, "notifyMap"}, {Scope::slack, "slack"}};

// A file that is whole but for `key`, which has the value given.
std::string fileWith(Scope scope, const std::string& key, const std::string& value) {
  const std::string line = key + ": " + value;
  const std::string image = key == "image" && scope == Scope::root ? "" : "image: a\n";
  const std::string stages = key == "stages" && scope == Scope::root ? "" : "stages: [{name: a, script: b}]\n";
  switch (scope) {
    case Scope::root:
      return image + stages + line + "\n";
    case Scope::stage:
      return image + "stages: [{" + (key == "name" ? "" : "name: a, ") + (key == "script" ? "" : "script: b, ") + line +
             "}]\n";
    case Scope::trigger:
      return image + "stages: [{name: a, script: b, trigger: {" + line + "}}]\n";
    case Scope::clone:
      return image + stages + "clone: {" + line + "}\n";
    case Scope::resources:
      return image + stages + "resources: {" + line + "}\n";
    case Scope::keep:
      return image + stages + "keep: {" + line + "}\n";
    case Scope::notification:
      return image + stages + "notify: [{" + (key == "via" ? "" : "via: a, ") + line + "}]\n";
    case Scope::notify:
      return image + stages + "notify: {" + line + "}\n";
    case Scope::slack:
      return image + stages + "notify: {slack: {" + line + "}}\n";
  }
  return "";
}

class ReferenceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReferenceTest);
  CPPUNIT_TEST(every_key_is_read);
  CPPUNIT_TEST(the_schema_file_is_up_to_date);
  CPPUNIT_TEST(the_schema_knows_the_same_keys_as_the_reader);
  CPPUNIT_TEST(every_reference_of_the_schema_leads_somewhere);
  CPPUNIT_TEST(the_handbook_page_is_up_to_date);
  CPPUNIT_TEST(the_examples_of_the_page_are_good);
  CPPUNIT_TEST_SUITE_END();

  // No key takes a list of lists: one that is accepted is one that nobody looks at.
  void every_key_is_read() {
    for (const KeySpec& spec : allKeys()) {
      const auto result = read(fileWith(spec.scope, std::string(spec.name), "[[x]]"), "ocelot.yml");
      CPPUNIT_ASSERT_MESSAGE(std::string(prefixOf(spec.scope)) + std::string(spec.name) + " is not looked at",
                             !result.pipeline);
      const std::string unknown = describeErrors(read(fileWith(spec.scope, "quux", "[[x]]"), "ocelot.yml"));
      CPPUNIT_ASSERT_MESSAGE(unknown, unknown.find("unknown key `quux`") != std::string::npos);
    }
  }

  void the_schema_file_is_up_to_date() {
    CPPUNIT_ASSERT_EQUAL(contentOf(kRoot / "host/pipeline/ocelot.schema.json"), schema());
  }

  void the_schema_knows_the_same_keys_as_the_reader() {
    const YAML::Node schema_tree = YAML::Load(contentOf(kRoot / "host/pipeline/ocelot.schema.json"));
    std::set<Scope> scopes;
    for (const KeySpec& spec : allKeys()) scopes.insert(spec.scope);
    for (const Scope scope : scopes) {
      const YAML::Node object = scope == Scope::root ? schema_tree : schema_tree["$defs"][kDefinitions.at(scope)];
      CPPUNIT_ASSERT_EQUAL(std::string("false"), object["additionalProperties"].as<std::string>());
      std::set<std::string> in_schema, in_table;
      for (const auto& property : object["properties"]) in_schema.insert(property.first.as<std::string>());
      for (const std::string_view name : namesIn(scope)) in_table.emplace(name);
      CPPUNIT_ASSERT(in_schema == in_table);
    }
  }

  void every_reference_of_the_schema_leads_somewhere() {
    const std::string text = contentOf(kRoot / "host/pipeline/ocelot.schema.json");
    const YAML::Node definitions = YAML::Load(text)["$defs"];
    const std::string mark = "#/$defs/";
    int seen = 0;
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1), ++seen) {
      const auto begin = at + mark.size();
      const std::string name = text.substr(begin, text.find('"', begin) - begin);
      CPPUNIT_ASSERT_MESSAGE(name, definitions[name].IsDefined());
    }
    CPPUNIT_ASSERT(seen > 10);
  }

  void the_handbook_page_is_up_to_date() {
    const fs::path page = kRoot / "etc/guide/pipeline-reference.md";
    CPPUNIT_ASSERT_EQUAL(contentOf(page), reference());
    for (const KeySpec& spec : allKeys()) {
      const std::string row = "| `" + std::string(prefixOf(spec.scope)) + std::string(spec.name) + "` |";
      CPPUNIT_ASSERT_MESSAGE(row, reference().find(row) != std::string::npos);
    }
  }

  void the_examples_of_the_page_are_good() {
    std::istringstream lines(reference());
    std::string line, block;
    bool inside = false;
    int blocks = 0;
    while (std::getline(lines, line)) {
      if (line == "```yaml") {
        inside = true;
        block.clear();
      } else if (line == "```" && inside) {
        inside = false;
        ++blocks;
        // A block is a whole file, or keys of a stage.
        if (block.find("image:") == std::string::npos) {
          std::string stage = "image: a\nstages:\n  - name: a\n    script: b\n";
          std::istringstream rows(block);
          for (std::string row; std::getline(rows, row);) stage += "    " + row + "\n";
          block = stage;
        }
        const auto result = read(block, "example");
        CPPUNIT_ASSERT_MESSAGE(describeErrors(result), result.pipeline && result.problems.empty());
      } else if (inside) {
        block += line + "\n";
      }
    }
    CPPUNIT_ASSERT_EQUAL(2, blocks);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ReferenceTest);

}  // namespace
