#include "host/queue/nsq/lookup.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <stdexcept>

#include "host/http/client.hpp"

namespace ocelot::queue::nsq {
namespace {

constexpr std::chrono::milliseconds kLookupPatience{3000};
constexpr std::uint64_t kMaxAnswer = 4 << 20;
constexpr std::size_t kMaxNodes = 64;  // each costs a connection a topic

}  // namespace

Lookup::Lookup(std::vector<std::string> urls, std::string ca_file)
    : urls_(std::move(urls)), ca_file_(std::move(ca_file)) {}

std::set<NsqAddress> Lookup::nodes() { return ask("/nodes"); }

std::set<NsqAddress> Lookup::producers(const std::string& topic) { return ask("/lookup?topic=" + http::encode(topic)); }

std::set<NsqAddress> Lookup::ask(const std::string& path) {
  std::set<NsqAddress> all;
  std::string why;
  bool answered = false;
  for (const auto& url : urls_) {
    auto& known = known_[url + path];
    try {
      http::ClientSettings settings;
      settings.url = url;
      settings.ca_file = ca_file_;
      settings.connect_timeout = kLookupPatience;
      SimpleCall call(kLookupPatience);
      HttpRequest request;
      request.url = path;
      request.headers = {{"Accept", "application/vnd.nsq; version=1.0"}};
      request.max_answer_bytes = kMaxAnswer;
      const HttpAnswer answer = http::Client(settings).send(call, request);
      if (answer.status == 404)
        known.clear();  // nobody has published to it yet
      else if (answer.status == 200)
        known = parseProducers(answer.body);
      else
        throw std::invalid_argument("HTTP status " + std::to_string(answer.status));
      answered = true;
    } catch (const std::exception& error) {
      why = "ask nsqlookupd " + url + ": " + error.what();
    }
    all.insert(known.begin(), known.end());
  }
  trouble_ = answered ? "" : why;
  return all;
}

std::set<NsqAddress> parseProducers(const std::string& json) {
  std::set<NsqAddress> all;
  try {
    const auto answer = Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
    const auto producers = answer->getArray("producers");
    if (!producers) throw std::invalid_argument("its answer names no producers; is it an nsqlookupd from 1.0 on?");
    for (std::size_t i = 0; i < producers->size() && all.size() < kMaxNodes; ++i) {
      const auto one = producers->getObject(static_cast<unsigned>(i));
      if (!one) continue;
      const int port = one->optValue("tcp_port", 0);
      if (port < 1 || port > 65535) continue;
      try {
        NsqAddress address{one->optValue<std::string>("broadcast_address", ""), static_cast<std::uint16_t>(port)};
        all.insert(parseNsqAddress(address.text(), address.port));
      } catch (const std::invalid_argument&) {
        // An nsqd without an address cannot be spoken to; the others can.
      }
    }
  } catch (const Poco::Exception& error) {
    throw std::invalid_argument("its answer is no JSON of the kind: " + error.displayText());
  }
  return all;
}

}  // namespace ocelot::queue::nsq
