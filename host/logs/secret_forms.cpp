#include "host/logs/secret_forms.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "host/logs/masker.hpp"

namespace ocelot::logs {

namespace {

constexpr std::size_t kMinLineBytes = 8;
// Tools break base64 at 64 (openssl) or 76 columns (base64, MIME) and hex at 60 (xxd). Of a longer form every piece of
// this many characters is a pattern of its own, so that a break shows at most 15 characters on either side of it.
constexpr std::size_t kWrapsBeyond = 59;
constexpr std::size_t kPieceBytes = 16;
// Above this, pieces lie side by side instead of at every offset: the table would grow beyond reason.
constexpr std::size_t kAllPiecesUpTo = 4096;

constexpr std::string_view kCommonWords[] = {
    "access",    "account", "admin1",      "administrator", "anonymous",  "branch",   "build1",   "change",
    "changeme",  "commit",  "config",      "container",     "custom",     "database", "debian",   "default",
    "deploy",    "develop", "development", "disable",       "disabled",   "docker",   "enable",   "enabled",
    "example",   "failed",  "failure",     "github",        "gitlab",     "google",   "hidden",   "latest",
    "localhost", "master",  "network",     "nobody",        "nothing",    "number",   "object",   "ocelot",
    "option",    "output",  "package",     "passed",        "password",   "postgres", "private",  "production",
    "public",    "python",  "release",     "remote",        "repository", "return",   "script",   "secret",
    "server",    "service", "source",      "stable",        "staging",    "status",   "string",   "success",
    "system",    "testing", "ubuntu",      "undefined",     "unknown",    "update",   "username", "version",
    "warning",   "worker",  "workspace"};

class Forms {
 public:
  void add(std::string form) {
    if (form.size() >= kMinSecretBytes && seen_.insert(form).second) forms_.push_back(std::move(form));
  }
  void addWrapped(const std::string& form, std::size_t step) {
    add(form);
    if (form.size() <= kWrapsBeyond) return;
    for (std::size_t at = 0; at + kPieceBytes <= form.size(); at += step) add(form.substr(at, kPieceBytes));
  }
  std::vector<std::string> take() { return std::move(forms_); }

 private:
  std::set<std::string> seen_;
  std::vector<std::string> forms_;
};

constexpr char kLower[] = "0123456789abcdef";
constexpr char kUpper[] = "0123456789ABCDEF";

unsigned byteOf(char c) { return static_cast<unsigned char>(c); }

std::string hex(std::string_view in, const char* digits) {
  std::string out;
  for (const char c : in) (out += digits[byteOf(c) >> 4]) += digits[byteOf(c) & 15];
  return out;
}

// Base64 of the secret when `shift` bytes of something else come before it in its group of three: the characters that
// depend on the secret alone. At its end the padded form is covered by the same characters.
std::string base64(std::string_view in, std::size_t shift, const char* last_two) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const auto letter = [&](unsigned six) { return six < 62 ? kLetters[six] : last_two[six - 62]; };
  std::string out;
  const std::size_t bits = (shift + in.size()) * 8;
  for (std::size_t bit = (shift * 8 + 5) / 6 * 6; bit + 6 <= bits; bit += 6) {
    unsigned six = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      six = six << 1 | ((byteOf(in[i / 8 - shift]) >> (7 - i % 8)) & 1u);
    }
    out += letter(six);
  }
  return out;
}

// The whole with nothing before and nothing after it, its last, padded character included.
std::string base64Whole(std::string_view in, const char* last_two) {
  std::string padded(in);
  padded.append((3 - in.size() % 3) % 3, '\0');
  std::string out = base64(padded, 0, last_two);
  out.resize((in.size() * 8 + 5) / 6);
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::string percent(std::string_view in, std::string_view kept, const char* digits, bool plus_for_space) {
  std::string out;
  for (const char c : in) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || kept.find(c) != std::string_view::npos) {
      out += c;
    } else if (c == ' ' && plus_for_space) {
      out += '+';
    } else {
      ((out += '%') += digits[byteOf(c) >> 4]) += digits[byteOf(c) & 15];
    }
  }
  return out;
}

// One code point off the front; bytes that are not UTF-8 come out as themselves.
std::uint32_t takeCodePoint(std::string_view& in) {
  const unsigned first = byteOf(in[0]);
  const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 1;
  std::uint32_t point = length == 1 ? first : first & (0xffu >> (length + 1));
  if (length > in.size()) {
    in.remove_prefix(1);
    return first;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byteOf(in[i]) & 0xc0) != 0x80) {
      in.remove_prefix(1);
      return first;
    }
    point = point << 6 | (byteOf(in[i]) & 0x3f);
  }
  in.remove_prefix(length);
  return point;
}

void appendUnit(std::string& out, std::uint32_t unit, const char* digits) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[unit >> shift & 15];
}

void appendEscaped(std::string& out, std::uint32_t point, const char* digits) {
  if (point > 0xffff) {
    appendUnit(out, 0xd800 + ((point - 0x10000) >> 10), digits);
    appendUnit(out, 0xdc00 + ((point - 0x10000) & 0x3ff), digits);
  } else {
    appendUnit(out, point, digits);
  }
}

struct JsonStyle {
  const char* digits;
  bool slash;  // "\/", as PHP writes
  bool html;   // <, > and & as \u003c…, as Go writes
  bool ascii;  // everything beyond ASCII as \u…, as Python writes
  bool all;    // every character as \u…
};

std::string json(std::string_view in, const JsonStyle& style) {
  std::string out;
  while (!in.empty()) {
    const std::string_view before = in;
    const std::uint32_t point = takeCodePoint(in);
    const std::string_view raw = before.substr(0, before.size() - in.size());
    const char* short_form = nullptr;
    if (!style.all) {
      switch (point) {
        case '"':
          short_form = "\\\"";
          break;
        case '\\':
          short_form = "\\\\";
          break;
        case '\n':
          short_form = "\\n";
          break;
        case '\r':
          short_form = "\\r";
          break;
        case '\t':
          short_form = "\\t";
          break;
        case '\b':
          short_form = "\\b";
          break;
        case '\f':
          short_form = "\\f";
          break;
        case '/':
          short_form = style.slash ? "\\/" : nullptr;
          break;
        default:
          break;
      }
    }
    if (short_form != nullptr) {
      out += short_form;
    } else if (style.all || point < 0x20 || (style.html && (point == '<' || point == '>' || point == '&')) ||
               (style.ascii && point > 0x7e)) {
      appendEscaped(out, point, style.digits);
    } else {
      out += raw;
    }
  }
  return out;
}

std::string xml(std::string_view in, bool named_apostrophe) {
  std::string out;
  for (const char c : in) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += named_apostrophe ? "&quot;" : "&#34;";
        break;
      case '\'':
        out += named_apostrophe ? "&apos;" : "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Backslash before every character that is in `special`.
std::string backslashed(std::string_view in, std::string_view special) {
  std::string out;
  for (const char c : in) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string singleQuoted(std::string_view in, std::string_view quote) {
  std::string out;
  for (const char c : in) {
    if (c == '\'') {
      out += quote;
    } else {
      out += c;
    }
  }
  return out;
}

// The inside of $'…', as bash's %q and set -x write what holds control characters; also Go's %q, but for the quotes.
std::string ansiC(std::string_view in, char quote, bool octal) {
  std::string out;
  for (const char c : in) {
    const unsigned byte = byteOf(c);
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\a':
        out += "\\a";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\v':
        out += "\\v";
        break;
      case 27:
        out += octal ? "\\E" : "\\x1b";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        if (c == quote) {
          (out += '\\') += c;
        } else if (byte < 0x20 || byte == 0x7f || (octal && byte > 0x7f)) {
          if (octal) {
            ((out += '\\') += static_cast<char>('0' + (byte >> 6))) += static_cast<char>('0' + (byte >> 3 & 7));
            out += static_cast<char>('0' + (byte & 7));
          } else {
            ((out += "\\x") += kLower[byte >> 4]) += kLower[byte & 15];
          }
        } else {
          out += c;
        }
    }
  }
  return out;
}

void addEncodings(std::string_view text, Forms& forms) {
  forms.add(std::string(text));
  const std::size_t step = text.size() <= kAllPiecesUpTo ? 1 : kPieceBytes;
  for (const char* last_two : {"+/", "-_"}) {
    for (std::size_t shift = 0; shift < 3; ++shift) forms.addWrapped(base64(text, shift, last_two), step);
    forms.add(base64Whole(text, last_two));
  }
  for (const char* digits : {kLower, kUpper}) {
    forms.addWrapped(hex(text, digits), step == 1 ? 2 : kPieceBytes);
    // encodeURIComponent; RFC 3986; what leaves a path or a URL as it is; forms.
    for (const char* kept : {"-_.~!*'()", "-_.~", "-_.~/", "-_.~!*'();/?:@&=+$,#"})
      forms.add(percent(text, kept, digits, false));
    forms.add(percent(text, "-_.*", digits, true));
    forms.add(percent(text, "-_.", digits, true));
    for (const bool ascii : {false, true}) {
      for (const bool slash : {false, true}) {
        for (const bool html : {false, true}) forms.add(json(text, {digits, slash, html, ascii, false}));
      }
    }
    forms.add(json(text, {digits, false, false, false, true}));
  }
  forms.add(xml(text, true));
  forms.add(xml(text, false));
  forms.add(backslashed(text, " !\"#$&'()*,;<=>?[\\]^`{|}~"));       // bash %q
  forms.add(backslashed(text, " \t\n!\"#$&'()*:;<=>?@[\\]^`{|}~"));  // zsh %q
  forms.add(backslashed(text, "\"$`\\"));                            // inside double quotes
  forms.add(backslashed(text, "\\"));
  forms.add(backslashed(text, "'\\"));
  forms.add(singleQuoted(text, "'\\''"));
  forms.add(singleQuoted(text, "'\"'\"'"));
  forms.add(singleQuoted(text, "''"));  // PowerShell, SQL
  forms.add(ansiC(text, '\'', true));
  forms.add(ansiC(text, '"', false));
}

std::string withReturns(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out;
}

std::string withoutReturns(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out += text[i];
  }
  return out;
}

// What `echo` and editors leave at the end is no part of the secret.
std::string_view trimmed(std::string_view secret) {
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.remove_suffix(1);
  while (!secret.empty() && (secret.front() == '\n' || secret.front() == '\r')) secret.remove_prefix(1);
  return secret;
}

// The lines that are worth a pattern of their own.
std::vector<std::string_view> longLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.size() >= kMinLineBytes && whyNotMaskable(line).empty()) lines.push_back(line);
  }
  return lines;
}

template <typename AddOne>
std::vector<std::string> formsOf(std::string_view secret, AddOne addOne) {
  Forms forms;
  const std::string_view text = trimmed(secret);
  addOne(text, forms);
  if (text.find('\n') != std::string_view::npos) {
    addOne(withReturns(text), forms);
    addOne(withoutReturns(text), forms);
    for (const std::string_view line : longLines(text)) addOne(line, forms);
  }
  return forms.take();
}

}  // namespace

std::string whyNotMaskable(std::string_view secret) {
  const std::string_view text = trimmed(secret);
  if (text.size() < kMinSecretBytes) {
    return "it is shorter than " + std::to_string(kMinSecretBytes) + " bytes: masking it would hide ordinary text";
  }
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (std::find(std::begin(kCommonWords), std::end(kCommonWords), lower) != std::end(kCommonWords)) {
    return "it is a common word: masking it would hide ordinary text";
  }
  if (text.find_first_not_of(text.front()) == std::string_view::npos ||
      text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return "it is one character repeated: masking it would hide ordinary text";
  }
  return "";
}

std::vector<std::string> secretForms(std::string_view secret) {
  return formsOf(secret, [](std::string_view text, Forms& forms) { addEncodings(text, forms); });
}

std::vector<std::string> plainForms(std::string_view secret) {
  return formsOf(secret, [](std::string_view text, Forms& forms) { forms.add(std::string(text)); });
}

}  // namespace ocelot::logs
