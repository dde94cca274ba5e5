#pragma once
// From the tree of an ocelot.yml to a Pipeline: knows every key's form, collects every problem, and goes on after each.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/pipeline/keys.hpp"
#include "host/pipeline/pipeline.hpp"
#include "host/pipeline/yaml.hpp"

namespace ocelot::pipeline {

class Reader {
 public:
  explicit Reader(std::vector<Problem>& problems) : problems_(problems) {}

  // Good for use only when no problem was added that is an error.
  Pipeline read(const yaml::Node& root);

 private:
  using Node = yaml::Node;
  struct Text {
    std::string value;
    const Node* node = nullptr;  // where it stands
  };

  void error(const Node& at, std::string message, std::string hint = "");
  void error(int line, int column, std::string message, std::string hint);
  void warn(int line, int column, std::string message, std::string hint);

  // Calls `take(key, value node)` for every known key of the map; reports unknown and missing ones.
  using Take = std::function<void(Key key, const Node& value)>;
  void map(const Node& node, Scope scope, std::string_view what, const Take& take);

  std::optional<std::string> text(const Node& node, std::string_view key);
  std::vector<Text> texts(const Node& node, std::string_view key, std::size_t at_most);  // a list, or one text
  bool flag(const Node& node, std::string_view key, bool otherwise);
  std::int64_t number(const Node& node, std::string_view key, std::int64_t least, std::int64_t most);
  std::uint64_t size(const Node& node, std::string_view key, std::uint64_t least);
  std::int64_t duration(const Node& node, std::string_view key);
  std::string user(const Node& node);
  std::string oneOf(const Node& node, std::string_view key, const std::vector<std::string_view>& words);
  std::string bounded(const Node& node, std::string_view key, std::size_t most);

  Environment environment(const Node& node);
  void variable(Environment& env, std::string name, std::string value, int line, int column);
  std::vector<std::string> secretNames(const Node& node);
  std::vector<std::string> patterns(const Node& node, std::string_view key);
  std::vector<std::string> directives(const Node& node);
  bool patternsAffordable(const Node& at);

  Clone clone(const Node& node);
  Keep keep(const Node& node);
  Limits limits(const Node& node);
  void stages(const Node& node, Pipeline& out);
  Stage stage(const Node& node);
  std::string stageName(const Node& node);
  std::string script(const Node& node);
  void notifications(const Node& node, std::vector<Notification>& out);
  void results(const Node& node, Notification& out);
  void checkSecrets(const Pipeline& pipeline);

  std::vector<Problem>& problems_;
  std::size_t pattern_cost_ = 0;  // of the whole file so far
};

}  // namespace ocelot::pipeline
