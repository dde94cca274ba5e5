#include "host/pipeline/directive.hpp"

#include <algorithm>

#include "host/pipeline/patterns.hpp"
#include "host/pipeline/suggest.hpp"
#include "host/pipeline/values.hpp"

namespace ocelot::pipeline {

namespace {

struct Token {
  enum class Kind { section, value, word_and, word_or, all, any, end };
  Kind kind = Kind::end;
  std::string text;  // a section's word, a value without its quotes
  std::size_t begin = 0;
};

struct Stop {
  std::size_t at;
  std::string message;
  std::string hint;
};

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr const char* kSections = "\\branch, \\filepath or \\text";

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> tokens() {
    std::vector<Token> out;
    do {
      out.push_back(next());
    } while (out.back().kind != Token::Kind::end);
    return out;
  }

 private:
  Token next() {
    while (at_ < text_.size() && isBlank(text_[at_])) ++at_;
    const std::size_t begin = at_;
    if (at_ == text_.size()) return {Token::Kind::end, "", begin};
    if (atConnective()) {
      at_ += 2;
      return {text_[begin] == '|' ? Token::Kind::any : Token::Kind::all, "", begin};
    }
    if (text_[at_] == '"') return quotedValue();
    while (at_ < text_.size() && !isBlank(text_[at_]) && !atConnective()) ++at_;
    std::string word(text_.substr(begin, at_ - begin));
    if (word.front() == '\\') return section(word, begin);
    if (word == "|" || word == "&")
      throw Stop{begin, "a single `" + word + "`", "write `" + word + word + "`, or put it in quotes"};
    if (lower(word) == "and") return {Token::Kind::word_and, "", begin};
    if (lower(word) == "or") return {Token::Kind::word_or, "", begin};
    return {Token::Kind::value, std::move(word), begin};
  }

  bool atConnective() const {
    const std::string_view two = text_.substr(at_, 2);
    return two == "||" || two == "&&";
  }

  Token quotedValue() {
    const std::size_t begin = at_++;
    std::string value;
    while (at_ < text_.size() && text_[at_] != '"') {
      const bool escape =
          text_[at_] == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\');
      if (escape) ++at_;
      value += text_[at_++];
    }
    if (at_ == text_.size()) throw Stop{begin, "a quote that is never closed", "add the closing `\"`"};
    ++at_;
    if (at_ < text_.size() && !isBlank(text_[at_]) && !atConnective())
      throw Stop{at_, "text right behind a closing quote", "put a space or `||` between them"};
    return {Token::Kind::value, std::move(value), begin};
  }

  static Token section(const std::string& word, std::size_t begin) {
    const std::string name = lower(word);
    if (name == "\\branch" || name == "\\filepath" || name == "\\text") return {Token::Kind::section, name, begin};
    const std::string_view near = nearest(name, {"\\branch", "\\filepath", "\\text"});
    throw Stop{begin, "unknown section " + quoted(word),
               near.empty() ? std::string("write ") + kSections + ", or put a value that begins with `\\` in quotes"
                            : "did you mean `" + std::string(near) + "`?"};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

class Parser {
 public:
  Parser(std::vector<Token> tokens, std::size_t& pattern_cost)
      : tokens_(std::move(tokens)), pattern_cost_(pattern_cost) {}

  Directive directive() {
    Directive out;
    if (peek().kind == Token::Kind::end)
      throw Stop{0, "an empty trigger", std::string("write ") + kSections + " and a value"};
    out.any_of.emplace_back();
    for (;;) {
      out.any_of.back().push_back(section());
      const Token token = take();
      if (token.kind == Token::Kind::end) return out;
      if (token.kind == Token::Kind::word_or) out.any_of.emplace_back();
      // Values end where a section, a connective or the text ends, so that only a section can stand here otherwise.
      if (token.kind == Token::Kind::section)
        throw Stop{token.begin, "two sections without `and` or `or` between them",
                   "put one of them before `" + token.text + "`"};
    }
  }

 private:
  const Token& peek() const { return tokens_[next_]; }
  Token take() { return tokens_[next_++]; }

  Section section() {
    const Token token = take();
    if (token.kind != Token::Kind::section) {
      const char* what = next_ == 1 ? "a trigger begins with " : "behind `and` and `or` comes ";
      throw Stop{token.begin, std::string(what) + kSections,
                 token.kind == Token::Kind::value ? "the values `and` and `or` need quotes" : ""};
    }
    Section out;
    out.kind = token.text == "\\branch"     ? Section::Kind::branch
               : token.text == "\\filepath" ? Section::Kind::filepath
                                            : Section::Kind::text;
    out.any_of.push_back({value(out.kind, "`" + token.text + "` without a value")});
    for (;;) {
      const Token::Kind kind = peek().kind;
      if (kind == Token::Kind::all) {
        const Token connective = take();
        std::string next = value(out.kind, "`&&` without a value behind it");
        if (out.kind == Section::Kind::branch)
          throw Stop{connective.begin, "`&&` in \\branch: a change has one branch", "write `||`"};
        out.any_of.back().push_back(std::move(next));
      } else if (kind == Token::Kind::any) {
        take();
        out.any_of.push_back({value(out.kind, "`||` without a value behind it")});
      } else if (kind == Token::Kind::value) {
        out.any_of.push_back({value(out.kind, "")});
      } else {
        return out;
      }
    }
  }

  std::string value(Section::Kind kind, const std::string& when_missing) {
    const Token token = take();
    if (token.kind != Token::Kind::value) {
      const bool word = token.kind == Token::Kind::word_and || token.kind == Token::Kind::word_or;
      throw Stop{token.begin, when_missing, word ? "as values, `and` and `or` need quotes" : ""};
    }
    if (token.text.empty()) throw Stop{token.begin, "an empty value", "it would hold for everything"};
    if (++values_ > kMaxDirectiveValues)
      throw Stop{token.begin, "more than " + std::to_string(kMaxDirectiveValues) + " values in one trigger", ""};
    if (kind == Section::Kind::branch) {
      const PatternCheck check = checkPattern(token.text);
      pattern_cost_ += check.cost;
      if (!check.fault.empty()) {
        throw Stop{token.begin, "the pattern " + quoted(token.text) + " cannot be used: " + check.fault, ""};
      }
    }
    return token.text;
  }

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  std::size_t values_ = 0;
  std::size_t& pattern_cost_;
};

bool isPartOfAny(const std::vector<std::string>& texts, const std::string& value) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(value) != std::string::npos; });
}

bool holdsFor(const Section& section, const std::string& value, const Change& change) {
  switch (section.kind) {
    case Section::Kind::branch:
      return matchesPattern(value, change.branch);
    case Section::Kind::filepath:
      return !change.files_complete || isPartOfAny(change.files, value);
    case Section::Kind::text:
      return change.message.find(value) != std::string::npos || isPartOfAny(change.messages, value);
  }
  return false;
}

}  // namespace

bool Directive::holds(const Change& change) const {
  const auto sectionHolds = [&](const Section& section) {
    return std::any_of(section.any_of.begin(), section.any_of.end(), [&](const std::vector<std::string>& all) {
      return std::all_of(all.begin(), all.end(),
                         [&](const std::string& value) { return holdsFor(section, value, change); });
    });
  };
  return std::any_of(any_of.begin(), any_of.end(), [&](const std::vector<Section>& all) {
    return std::all_of(all.begin(), all.end(), sectionHolds);
  });
}

std::optional<Directive> parseDirective(std::string_view text, DirectiveFault& fault, std::size_t& pattern_cost) {
  try {
    if (text.size() > kMaxDirectiveBytes)
      throw Stop{0, "a trigger of more than " + std::to_string(kMaxDirectiveBytes) + " bytes", ""};
    return Parser(Lexer(text).tokens(), pattern_cost).directive();
  } catch (const Stop& stop) {
    fault = {characters(text.substr(0, stop.at)) + 1, stop.message, stop.hint};
    return std::nullopt;
  }
}

}  // namespace ocelot::pipeline
