#pragma once
// A host as a plugin sees it: answers HTTP from a script, remembers what was asked; its crypto is real.

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <deque>
#include <string>
#include <vector>

#include "ocelot/host.hpp"

namespace ocelot::test {

class ScriptedHost final : public Host, private Http, private Crypto {
 public:
  Http& http() override { return *this; }
  Crypto& crypto() override { return *this; }

  std::deque<HttpAnswer> answers;  // given one after the other; none left: Error(unavailable)
  std::vector<HttpRequest> requests;

 private:
  HttpAnswer send(Call&, const HttpRequest& request) override {
    requests.push_back(request);
    if (answers.empty()) throw Error(Status::unavailable, "POST " + request.url + ": connection refused");
    HttpAnswer answer = answers.front();
    answers.pop_front();
    return answer;
  }
  std::string hmacSha256(std::string_view key, std::string_view data) override {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()),
           data.size(), out, &size);
    return {reinterpret_cast<char*>(out), size};
  }
  std::string sha256(std::string_view data) override {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    ::EVP_Digest(data.data(), data.size(), out, &size, EVP_sha256(), nullptr);
    return {reinterpret_cast<char*>(out), size};
  }
  bool equal(std::string_view a, std::string_view b) override { return a == b; }
  std::string random(std::size_t bytes) override { return std::string(bytes, '4'); }
};

}  // namespace ocelot::test
