#include "host/http/client.hpp"

#include <algorithm>
#include <mutex>

#include "host/http/conversation.hpp"
#include "host/http/download.hpp"

namespace ocelot::http {
namespace {

bool isUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

std::int64_t retryAfterMs(const std::string& text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 6 || !std::all_of(text.begin(), text.end(), digit)) return -1;
  return std::stoll(text) * 1000;
}

bool isRedirect(int status, const std::string& method) {
  return status == 307 || status == 308 || (method == "GET" && (status == 301 || status == 302 || status == 303));
}

}  // namespace

class Client::Impl {
 public:
  explicit Impl(ClientSettings settings)
      : settings_(std::move(settings)), base_(settings_.url.empty() ? Url() : parseUrl(settings_.url)) {}

  bool run(Call& call, const HttpRequest& request, const std::function<bool(const HttpAnswer&)>& head_of,
           const std::function<bool(std::string_view)>& bytes_of, bool whole) {
    Asked asked = ask(call, request);
    if (whole || !isGood(asked.head.status)) {
      readWhole(asked, request);
      head_of(asked.answer);
      return true;
    }
    return head_of(asked.answer) && asked.conversation->readBody(asked.head, bytes_of);
  }

  std::unique_ptr<Download> open(Call& call, const HttpRequest& request, HttpAnswer& head) {
    Asked asked = ask(call, request);
    const bool good = isGood(asked.head.status);
    if (!good) readWhole(asked, request);
    head = std::move(asked.answer);
    return good ? downloadOf(*asked.conversation, asked.head) : nullptr;
  }

  const ClientSettings settings_;

 private:
  struct Asked {
    std::unique_ptr<Conversation> conversation;
    AnswerHead head;
    HttpAnswer answer;  // its body is not read yet
  };

  static bool isGood(int status) { return status >= 200 && status < 300; }

  // Goes where redirects lead, as far as it may.
  Asked ask(Call& call, const HttpRequest& request) {
    Url url = settings_.url.empty() ? parseUrl(request.url) : resolve(base_, request.url);
    const Url first = url;
    for (int redirects = 0;; ++redirects) {
      try {
        call.check("sending " + request.method + " " + url.shown());
        Asked asked;
        asked.conversation = std::make_unique<Conversation>(call, settings_, url, request);
        Conversation& conversation = *asked.conversation;
        conversation.connect(url.tls ? tls() : nullptr);
        // The token is for the base alone; an Authorization of the caller's for where the caller sent it.
        const bool stayed = url.sameOrigin(first);
        conversation.send(stayed && !settings_.url.empty() && url.sameOrigin(base_), stayed);
        asked.head = conversation.readHead();
        asked.answer.status = asked.head.status;
        asked.answer.headers = asked.head.headers;
        asked.answer.retry_after_ms = retryAfterMs(headerOf(asked.answer, "retry-after"));
        if (redirects >= settings_.max_redirects || !isRedirect(asked.head.status, request.method)) return asked;
        Url root = url;
        root.target = "/";
        const Url next = resolve(root, headerOf(asked.answer, "location"));
        if (url.tls && !next.tls) fail(Status::invalid, conversation.what(), "redirects from https to " + next.shown());
        if (!next.socket_path.empty() && url.socket_path.empty()) {
          fail(Status::invalid, conversation.what(), "redirects to a socket of this machine");
        }
        url = next;
      } catch (const Error& error) {
        if (error.status() != Status::unavailable || url.sameOrigin(first)) throw;
        throw ElsewhereAway(error.what());
      }
    }
  }

  static void readWhole(Asked& asked, const HttpRequest& request) {
    asked.conversation->readBody(asked.head, [&](std::string_view part) {
      if (asked.answer.body.size() + part.size() > request.max_answer_bytes) {
        fail(Status::invalid, asked.conversation->what(),
             "the answer is longer than " + std::to_string(request.max_answer_bytes) + " bytes");
      }
      asked.answer.body += part;
      return true;
    });
  }

  // Reading the system's authorities takes longer than a request: only when needed.
  std::shared_ptr<TlsContext> tls() {
    const std::lock_guard lock(mutex_);
    if (!tls_) tls_ = clientTls(settings_.ca_file);
    return tls_;
  }

  const Url base_;
  std::mutex mutex_;
  std::shared_ptr<TlsContext> tls_;
};

Client::Client(ClientSettings settings) : impl_(std::make_unique<Impl>(std::move(settings))) {}
Client::~Client() = default;

HttpAnswer Client::send(Call& call, const HttpRequest& request) {
  HttpAnswer out;
  const auto keep = [&](const HttpAnswer& answer) {
    out = answer;
    return true;
  };
  impl_->run(call, request, keep, nullptr, true);
  return out;
}

bool Client::stream(Call& call, const HttpRequest& request, const std::function<bool(const HttpAnswer&)>& head,
                    const std::function<bool(std::string_view)>& bytes) {
  return impl_->run(call, request, head, bytes, false);
}

std::unique_ptr<Download> Client::open(Call& call, const HttpRequest& request, HttpAnswer& head) {
  return impl_->open(call, request, head);
}

const ClientSettings& Client::settings() const { return impl_->settings_; }

std::string headerOf(const HttpAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (lowerCase(key) == lowerCase(name)) return value;
  }
  return "";
}

std::string encode(std::string_view text) {
  static const char* const kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (isUnreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace ocelot::http
