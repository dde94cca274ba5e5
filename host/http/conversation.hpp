#pragma once
// One request on one connection, of the client's: connected, sent, its answer read, every wait bounded by the call.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/http/channel.hpp"
#include "host/http/client.hpp"
#include "host/http/head.hpp"
#include "host/http/url.hpp"

namespace Poco {
class Timespan;
namespace Net {
class IPAddress;
class StreamSocket;
}  // namespace Net
}  // namespace Poco

namespace ocelot::http {

// "what: why".
[[noreturn]] void fail(Status status, const std::string& what, const std::string& why);

// What is passed by reference outlives it. Throws as Client does.
class Conversation {
 public:
  Conversation(Call& call, const ClientSettings& settings, const Url& url, const HttpRequest& request);

  void connect(const std::shared_ptr<TlsContext>& tls);
  void send(bool with_token, bool with_authorization);
  AnswerHead readHead();
  // Gives the body's parts to `take`; false when that said to stop.
  bool readBody(const AnswerHead& head, const std::function<bool(std::string_view)>& take);
  // The body is read by somebody else, who goes on with the connection and what has come over it.
  std::unique_ptr<Channel> takeChannel(std::string& in);

  const std::string& what() const { return what_; }

 private:
  Poco::Timespan patience() const;
  std::vector<Poco::Net::IPAddress> addresses() const;
  void ask(const Poco::Net::IPAddress& address) const;
  Poco::Net::StreamSocket connectTcp();
  Poco::Net::StreamSocket connectUnix();
  std::string closedWhy(const std::string& otherwise) const;
  Clock::time_point silenceEnds() const;
  bool read();
  bool write(std::string_view bytes);

  Call& call_;
  const ClientSettings& settings_;
  const Url url_;
  const HttpRequest& request_;
  const std::string what_;
  std::unique_ptr<Channel> channel_;
  std::string in_;
};

}  // namespace ocelot::http
