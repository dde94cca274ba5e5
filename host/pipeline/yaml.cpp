#include "host/pipeline/yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>

#include "host/pipeline/syntax_error.hpp"
#include "host/pipeline/text_check.hpp"
#include "host/pipeline/values.hpp"

namespace ocelot::pipeline::yaml {

namespace {

// What ends the parsing from inside an event: yaml-cpp lets it pass through.
struct Refused {
  Problem problem;
};

constexpr std::array<std::string_view, 10> kCoreTags = {"",
                                                        "?",
                                                        "!",
                                                        "tag:yaml.org,2002:str",
                                                        "tag:yaml.org,2002:int",
                                                        "tag:yaml.org,2002:bool",
                                                        "tag:yaml.org,2002:null",
                                                        "tag:yaml.org,2002:float",
                                                        "tag:yaml.org,2002:map",
                                                        "tag:yaml.org,2002:seq"};

class Builder : public YAML::EventHandler {
 public:
  Builder(const LineIndex& lines, std::vector<Problem>& problems) : lines_(lines), problems_(problems) {}

  NodePtr root() const { return root_; }
  std::size_t lastOffset() const { return last_offset_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      refuse(mark, "a second document", "an ocelot.yml is one document: remove `---` and what follows");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto node = make(mark, Node::Kind::null);
    // yaml-cpp puts an absent value where the next thing stands; its key is the better place.
    if (!frames_.empty() && frames_.back().key) {
      node->line = frames_.back().key->line;
      node->column = frames_.back().key->column;
    }
    add(node, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (++aliases_ > kMaxAliases) refuse(mark, "more than " + std::to_string(kMaxAliases) + " aliases", "");
    const NodePtr target = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    if (!target) refuse(mark, "an alias inside the value that it stands for", "an anchor cannot contain itself");
    if (wantsKey()) refuse(mark, "an alias as a key", "keys are plain text");
    count(mark, target->expanded_nodes, target->expanded_bytes);
    attach(target);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    checkTag(mark, tag);
    if (value.size() > kMaxScalarBytes) {
      refuse(mark,
             "a text of " + std::to_string(value.size()) + " bytes; at most " + std::to_string(kMaxScalarBytes) +
                 " are read",
             "keep long scripts in files of their own and call them");
    }
    if (value.find('\0') != std::string::npos) refuse(mark, "a NUL character in a text", "");
    const auto node = make(mark, Node::Kind::scalar);
    node->text = value;
    node->expanded_bytes = value.size();
    count(mark, 0, value.size());
    plain_ = tag == "?";
    add(node, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::optional<Entry> key;                      // a map's key that waits for its value
    bool merging = false;                          // that key was a plain `<<`
    std::map<std::string, int, std::less<>> keys;  // and their lines
    std::vector<NodePtr> merged;
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message, std::string hint) {
    const Place place = lines_.place(mark.line, mark.column);
    throw Refused{{place.line, place.column, std::move(message), std::move(hint)}};
  }

  std::shared_ptr<Node> make(const YAML::Mark& mark, Node::Kind kind) {
    if (++nodes_ > kMaxNodes) refuse(mark, "more than " + std::to_string(kMaxNodes) + " values", "");
    count(mark, 1, 0);
    if (mark.pos >= 0) last_offset_ = static_cast<std::size_t>(mark.pos);
    const Place place = lines_.place(mark.line, mark.column);
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->line = place.line;
    node->column = place.column;
    return node;
  }

  void count(const YAML::Mark& mark, std::size_t nodes, std::size_t bytes) {
    expanded_nodes_ += nodes;
    expanded_bytes_ += bytes;
    if (expanded_nodes_ > kMaxExpandedNodes)
      refuse(mark, "aliases expand to more than " + std::to_string(kMaxExpandedNodes) + " values", "");
    if (expanded_bytes_ > kMaxExpandedBytes)
      refuse(mark, "aliases expand to more than " + std::to_string(kMaxExpandedBytes) + " bytes of text", "");
  }

  void checkTag(const YAML::Mark& mark, const std::string& tag) {
    if (std::find(kCoreTags.begin(), kCoreTags.end(), tag) == kCoreTags.end()) {
      constexpr std::string_view kCore = "tag:yaml.org,2002:";
      const bool core = tag.compare(0, kCore.size(), kCore) == 0;
      refuse(mark, "the tag " + quoted(core ? "!!" + tag.substr(kCore.size()) : tag),
             "tags are not used in an ocelot.yml; quote the value if it begins with `!`");
    }
  }

  bool wantsKey() const {
    return !frames_.empty() && frames_.back().node->kind == Node::Kind::map && !frames_.back().key;
  }

  void remember(YAML::anchor_t anchor, const NodePtr& node) {
    if (anchor == YAML::NullAnchor) return;
    if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
    anchors_[anchor] = node;
  }

  // A complete value.
  void add(const std::shared_ptr<Node>& node, YAML::anchor_t anchor) {
    remember(anchor, node);
    if (wantsKey()) return takeKey(*node);
    attach(node);
  }

  void takeKey(const Node& node) {
    Frame& frame = frames_.back();
    if (node.kind == Node::Kind::null) throw Refused{{node.line, node.column, "a key without a name", ""}};
    frame.merging = node.text == "<<" && plain_;
    frame.key = Entry{node.text, node.line, node.column, nullptr};
    const auto [first, fresh] = frame.keys.emplace(node.text, node.line);
    if (!fresh) {
      problems_.push_back({node.line, node.column, "duplicate key " + quoted(node.text),
                           "it stands in line " + std::to_string(first->second) + " already"});
    }
  }

  // Hands a value to the container that is open.
  void attach(const NodePtr& node) {
    if (frames_.empty()) {
      root_ = node;
      return;
    }
    Frame& frame = frames_.back();
    frame.node->expanded_nodes += node->expanded_nodes;
    frame.node->expanded_bytes += node->expanded_bytes;
    if (frame.node->kind == Node::Kind::list) {
      frame.node->items.push_back(node);
    } else if (frame.merging) {
      merge(frame, node);
      frame.key.reset();
    } else {
      frame.key->value = node;
      frame.node->entries.push_back(std::move(*frame.key));
      frame.key.reset();
    }
  }

  void merge(Frame& frame, const NodePtr& node) {
    const auto take = [&](const NodePtr& source) {
      if (source->kind != Node::Kind::map) {
        throw Refused{{frame.key->line, frame.key->column, "`<<` merges something that is no map",
                       "write `<<: *name` where &name marks a map"}};
      }
      frame.merged.push_back(source);
    };
    if (node->kind != Node::Kind::list) return take(node);
    for (const NodePtr& item : node->items) take(item);
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    checkTag(mark, tag);
    if (wantsKey())
      refuse(mark, "a key that is a list or a map",
             "keys are plain text; quote the value if it begins with `[` or `{`");
    if (frames_.size() >= static_cast<std::size_t>(kMaxDepth))
      refuse(mark, "more than " + std::to_string(kMaxDepth) + " levels of nesting", "");
    frames_.push_back({make(mark, kind), anchor, std::nullopt, false, {}, {}});
    remember(anchor, nullptr);  // until it is closed, an alias to it is a cycle
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    // The map's own keys win, then the earlier of the merged maps.
    for (const NodePtr& source : frame.merged) {
      for (const Entry& entry : source->entries) {
        if (frame.keys.emplace(entry.key, entry.line).second) frame.node->entries.push_back(entry);
      }
    }
    remember(frame.anchor, frame.node);
    attach(frame.node);
  }

  const LineIndex& lines_;
  std::vector<Problem>& problems_;
  std::vector<Frame> frames_;
  std::vector<NodePtr> anchors_;
  NodePtr root_;
  bool plain_ = false;
  int documents_ = 0;
  int aliases_ = 0;
  std::size_t nodes_ = 0;
  std::size_t expanded_nodes_ = 0;
  std::size_t expanded_bytes_ = 0;
  std::size_t last_offset_ = 0;
};

}  // namespace

NodePtr parse(std::string_view text, std::vector<Problem>& problems) {
  const LineIndex lines(text);
  Builder builder(lines, problems);
  // The closing `...` makes yaml-cpp refuse a quote that is still open, which it accepts at the end of its input.
  std::string closed(text);
  if (!closed.empty() && closed.back() != '\n') closed += '\n';
  closed += "...\n";
  try {
    std::istringstream in(closed);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    problems.push_back(refused.problem);
    return nullptr;
  } catch (const YAML::Exception& error) {
    problems.push_back(explain(text, lines, {error.msg, error.mark.line, error.mark.column}, builder.lastOffset()));
    return nullptr;
  }
  return builder.root();
}

}  // namespace ocelot::pipeline::yaml
