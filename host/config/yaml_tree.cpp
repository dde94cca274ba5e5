#include "host/config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace ocelot::config {
namespace {

const std::size_t kMaxDepth = 16;

struct Refused {
  int line;
  std::string what;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& text) : text_(text) {}
  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{lineOf(mark), "aliases (*name) are not understood here: write the value out"};
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node;
    node.line = lineOf(mark);
    put(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = value;
    node.line = lineOf(mark);
    node.secret = tag == "!secret";
    if (!node.secret) refuseTag(mark, tag);
    refuseOpenQuote(mark);
    put(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    refuseTag(mark, tag);
    open(Node::Kind::list, mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    refuseTag(mark, tag);
    open(Node::Kind::map, mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    bool has_key = false;
    std::string key;
  };

  static int lineOf(const YAML::Mark& mark) { return mark.line + 1; }
  static void refuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;  // untagged, and quoted
    throw Refused{lineOf(mark), "the tag " + tag + " is not understood here: only !secret is"};
  }

  // yaml-cpp takes the end of the file for the end of a quoted scalar.
  void refuseOpenQuote(const YAML::Mark& mark) const {
    if (mark.pos < 0 || static_cast<std::size_t>(mark.pos) >= text_.size()) return;
    std::size_t at = static_cast<std::size_t>(mark.pos);
    const char quote = text_[at];
    if (quote != '"' && quote != '\'') return;
    while (++at < text_.size()) {
      if (quote == '"' && text_[at] == '\\') {
        ++at;
      } else if (text_[at] == quote) {
        return;
      }
    }
    throw Refused{lineOf(mark), "the quote that begins here is never closed"};
  }

  void open(Node::Kind kind, const YAML::Mark& mark) {
    if (stack_.size() >= kMaxDepth) throw Refused{lineOf(mark), "nested too deeply"};
    Frame frame;
    frame.node.kind = kind;
    frame.node.line = lineOf(mark);
    if (!stack_.empty() && stack_.back().node.kind == Node::Kind::map && !stack_.back().has_key) {
      throw Refused{frame.node.line, "a key must be a word"};
    }
    stack_.push_back(std::move(frame));
  }
  void close() {
    Node done = std::move(stack_.back().node);
    stack_.pop_back();
    put(std::move(done));
  }

  void put(Node node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == Node::Kind::list) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      takeKey(frame, node);
    } else {
      frame.has_key = false;
      node.key = std::move(frame.key);
      frame.node.entries.push_back(std::move(node));
    }
  }
  static void takeKey(Frame& frame, const Node& node) {
    const auto fits = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    if (node.kind != Node::Kind::scalar || node.secret || node.text.empty()) {
      throw Refused{node.line, "a key must be a word"};
    }
    if (!std::all_of(node.text.begin(), node.text.end(), fits)) {
      throw Refused{node.line, "the key \"" + node.text + "\" may hold letters, digits, _ and - only"};
    }
    for (const Node& value : frame.node.entries) {
      if (value.key == node.text) {
        throw Refused{node.line, "the key \"" + value.key + "\" stands twice, first with the value in line " +
                                     std::to_string(value.line)};
      }
    }
    frame.has_key = true;
    frame.key = node.text;
  }

  const std::string& text_;
  std::vector<Frame> stack_;
  Node root_;
};

}  // namespace

Node parseYaml(const std::string& text, const std::string& name, std::vector<Problem>& problems) {
  TreeBuilder builder(text);
  const auto refuse = [&](int line, const std::string& what) {
    problems.push_back({line > 0 ? name + ":" + std::to_string(line) : name, what});
    return Node();
  };
  if (text.find('\0') != std::string::npos) return refuse(0, "is not text: it holds a NUL byte");
  try {
    std::istringstream in(text);
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    Node root = builder.take();
    TreeBuilder second(text);
    if (parser.HandleNextDocument(second)) return refuse(0, "holds more than one document (a line ---)");
    if (root.kind == Node::Kind::scalar || root.kind == Node::Kind::list) {
      return refuse(root.line, "must be keys with values, as in \"worker: {slots: 4}\"");
    }
    return root;
  } catch (const Refused& refused) {
    return refuse(refused.line, refused.what);
  } catch (const YAML::Exception& error) {
    return refuse(error.mark.line >= 0 ? error.mark.line + 1 : 0, "is not YAML: " + error.msg);
  }
}

}  // namespace ocelot::config
