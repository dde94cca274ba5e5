#pragma once
// A self-signed certificate made for a test, in a folder that goes with it.

#include <string>

namespace ocelot::test {

class Certificate {
 public:
  // `names` as in a subjectAltName: "DNS:localhost,IP:127.0.0.1".
  explicit Certificate(const std::string& names, long valid_seconds = 3600);
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string key() const { return folder_ + "/key.pem"; }

 private:
  std::string folder_;
};

}  // namespace ocelot::test
