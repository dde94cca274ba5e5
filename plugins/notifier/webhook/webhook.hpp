#pragma once
// Posts how a build ended to a URL.

#include <string>
#include <utility>
#include <vector>

#include "ocelot/notifier.hpp"
#include "ocelot/settings.hpp"

namespace ocelot::webhook {

class Webhook final : public Notifier {
 public:
  explicit Webhook(const Settings& settings);
  void tell(Call& call, const BuildNotice& notice, const std::string& target) override;

 private:
  Host& host_;
  std::string url_;
  std::string secret_;
  std::vector<std::pair<std::string, std::string>> headers_;
};

}  // namespace ocelot::webhook
