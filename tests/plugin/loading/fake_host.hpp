#pragma once
// A host with scripted answers, and digests that are wrong in a known way.

#include <deque>
#include <string>
#include <vector>

#include "ocelot/host.hpp"

namespace ocelot::test {

class FakeHost final : public Host, private Http, private Crypto {
 public:
  Http& http() override { return *this; }
  Crypto& crypto() override { return *this; }

  std::deque<HttpAnswer> answers;     // the next ones; none left: unavailable
  std::vector<HttpRequest> requests;  // as they came

 private:
  HttpAnswer send(Call& call, const HttpRequest& request) override {
    requests.push_back(request);
    call.log(LogLevel::info, "asked " + request.url);
    if (answers.empty()) throw Error(Status::unavailable, request.url + ": nobody there");
    HttpAnswer answer = answers.front();
    answers.pop_front();
    return answer;
  }
  std::string hmacSha256(std::string_view key, std::string_view data) override {
    return std::string(31, static_cast<char>(key.size())) + static_cast<char>(data.size());
  }
  std::string sha256(std::string_view data) override { return std::string(32, static_cast<char>(data.size())); }
  bool equal(std::string_view a, std::string_view b) override { return a == b; }
  std::string random(std::size_t bytes) override { return std::string(bytes, 'r'); }
};

}  // namespace ocelot::test
