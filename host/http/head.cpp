#include "host/http/head.hpp"

#include <algorithm>
#include <cstring>

#include "host/http/hex_digit.hpp"

namespace ocelot::http {
namespace {

bool isToken(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c));
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

bool isControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes a line with its CR LF off the front; the caller knows that there is one.
std::string_view takeLine(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

// The headers up to the empty line.
Pairs takeHeaders(std::string_view& rest, bool lower) {
  Pairs headers;
  for (;;) {
    const auto line = takeLine(rest);
    if (line.empty()) return headers;
    if (headers.size() >= kMaxHeaders) throw BadMessage{431, "more than 100 header fields"};
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t') throw BadMessage{400, "a header field is folded over two lines"};
    if (colon == std::string_view::npos || !isToken(line.substr(0, colon))) {
      throw BadMessage{400, "a header field has no proper name"};
    }
    const auto value = trimmed(line.substr(colon + 1));
    const auto bad = [](char c) { return isControl(c) && c != '\t'; };
    if (std::any_of(value.begin(), value.end(), bad)) throw BadMessage{400, "a header field holds a control character"};
    const auto name = line.substr(0, colon);
    headers.emplace_back(lower ? lowerCase(name) : std::string(name), value);
  }
}

std::vector<std::string> valuesOf(const Pairs& headers, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : headers) {
    if (lowerCase(key) == name) values.push_back(value);
  }
  return values;
}

std::int64_t lengthFrom(const std::string& text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 18 || !std::all_of(text.begin(), text.end(), digit)) {
    throw BadMessage{400, "Content-Length is not a number"};
  }
  return std::stoll(text);
}

bool listHas(const std::vector<std::string>& values, std::string_view word) {
  for (const std::string& value : values) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = std::min(rest.find(','), rest.size());
      if (lowerCase(trimmed(rest.substr(0, comma))) == word) return true;
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  return false;
}

}  // namespace

std::size_t headEnd(std::string_view buffer) {
  const auto end = buffer.find("\r\n\r\n");
  const std::size_t size = end == std::string_view::npos ? buffer.size() : end + 4;
  const std::string_view head = buffer.substr(0, std::min(size, kMaxHeadBytes));
  for (auto at = head.find('\n'); at != std::string_view::npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') throw BadMessage{400, "a line ends with LF instead of CR LF"};
  }
  if (head.find('\0') != std::string_view::npos) throw BadMessage{400, "the head holds a NUL byte"};
  // One empty line before the request line is a known slip of old clients; it is theirs to mend.
  if (head.substr(0, 2) == "\r\n") throw BadMessage{400, "the request begins with an empty line"};
  const auto line = head.find("\r\n");
  if (std::min(line, head.size()) > kMaxTargetBytes + 32) throw BadMessage{414, "the request line is too long"};
  if (size > kMaxHeadBytes) throw BadMessage{431, "the head is longer than 32 KiB"};
  return end == std::string_view::npos ? 0 : size;
}

RequestHead parseRequestHead(std::string_view rest) {
  RequestHead head;
  const auto line = takeLine(rest);
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    throw BadMessage{400, "the request line is not METHOD PATH VERSION"};
  const auto version = line.substr(last + 1);
  head.method = line.substr(0, first);
  head.target = line.substr(first + 1, last - first - 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.substr(0, 5) == "HTTP/") throw BadMessage{505, "only HTTP/1.1 is spoken here"};
    throw BadMessage{400, "the request line is not METHOD PATH VERSION"};
  }
  head.version_11 = version == "HTTP/1.1";
  if (!isToken(head.method) || head.method.size() > 16) throw BadMessage{400, "the method is not a word"};
  if (head.target.size() > kMaxTargetBytes) throw BadMessage{414, "the path is longer than 8 KiB"};
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  if (head.target.empty() || head.target.front() != '/' ||
      !std::all_of(head.target.begin(), head.target.end(), visible)) {
    throw BadMessage{400, "the path must begin with / and be percent-encoded"};
  }

  head.headers = takeHeaders(rest, true);
  if (valuesOf(head.headers, "host").size() != 1 && (head.version_11 || !valuesOf(head.headers, "host").empty())) {
    throw BadMessage{400, "there must be exactly one Host"};
  }
  const auto lengths = valuesOf(head.headers, "content-length");
  const auto codings = valuesOf(head.headers, "transfer-encoding");
  if (lengths.size() > 1) throw BadMessage{400, "there is more than one Content-Length"};
  if (!codings.empty()) {
    if (!lengths.empty()) throw BadMessage{400, "there is a Content-Length beside a Transfer-Encoding"};
    if (!head.version_11) throw BadMessage{400, "HTTP/1.0 has no Transfer-Encoding"};
    if (codings.size() != 1 || lowerCase(codings[0]) != "chunked") {
      throw BadMessage{501, "the only Transfer-Encoding understood is chunked"};
    }
    head.chunked = true;
  }
  if (!lengths.empty()) head.length = lengthFrom(lengths[0]);
  const auto expectations = valuesOf(head.headers, "expect");
  if (!expectations.empty()) {
    if (lowerCase(expectations[0]) != "100-continue")
      throw BadMessage{417, "the only Expect understood is 100-continue"};
    head.expects_continue = head.version_11;
  }
  const auto encodings = valuesOf(head.headers, "content-encoding");
  if (!encodings.empty() && lowerCase(encodings[0]) != "identity") {
    throw BadMessage{415, "compressed bodies are not taken"};
  }
  head.close = !head.version_11 || listHas(valuesOf(head.headers, "connection"), "close");
  return head;
}

AnswerHead parseAnswerHead(std::string_view rest, bool body_expected) {
  AnswerHead head;
  const auto line = takeLine(rest);
  const auto digits = line.substr(std::min<std::size_t>(9, line.size()), 3);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (line.substr(0, 7) != "HTTP/1." || line.size() < 12 || line[8] != ' ' ||
      !std::all_of(digits.begin(), digits.end(), digit) || (line.size() > 12 && line[12] != ' ')) {
    throw BadMessage{502, "the answer does not begin with an HTTP/1.1 status line"};
  }
  head.status = std::stoi(std::string(digits));
  head.headers = takeHeaders(rest, false);
  if (!body_expected || head.status == 204 || head.status == 304 || head.status < 200) {
    head.length = 0;
    return head;
  }
  const auto lengths = valuesOf(head.headers, "content-length");
  const auto codings = valuesOf(head.headers, "transfer-encoding");
  if (!codings.empty()) {
    if (codings.size() != 1 || lowerCase(codings[0]) != "chunked" || !lengths.empty()) {
      throw BadMessage{502, "the answer's length cannot be told"};
    }
    head.chunked = true;
  } else if (!lengths.empty()) {
    if (lengths.size() > 1) throw BadMessage{502, "there is more than one Content-Length"};
    head.length = lengthFrom(lengths[0]);
  }
  return head;
}

std::string valueOf(const Pairs& lower_case, std::string_view name) {
  for (const auto& [key, value] : lower_case) {
    if (key == name) return value;
  }
  return "";
}

std::string lowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<std::string> percentDecode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_blank) {
      c = ' ';
    }
    if (isControl(c)) return std::nullopt;
    out += c;
  }
  return out;
}

Pairs parseQuery(std::string_view text) {
  Pairs query;
  while (!text.empty()) {
    const auto part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.empty()) continue;
    if (query.size() >= 64) throw BadMessage{400, "more than 64 query parameters"};
    const auto equals = std::min(part.find('='), part.size());
    const auto name = percentDecode(part.substr(0, equals), true);
    const auto value = percentDecode(part.substr(std::min(equals + 1, part.size())), true);
    if (!name || !value) throw BadMessage{400, "a query parameter is badly encoded"};
    query.emplace_back(*name, *value);
  }
  return query;
}

std::string headerSafe(std::string_view value) {
  std::string safe(value);
  std::replace_if(safe.begin(), safe.end(), isControl, ' ');
  return safe;
}

const char* reasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

}  // namespace ocelot::http
