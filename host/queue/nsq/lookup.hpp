#pragma once
// What nsqlookupd knows: which nsqd there are, and which have a topic.

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "host/queue/nsq/settings.hpp"

namespace ocelot::queue::nsq {

// For one thread. A nsqlookupd that does not answer is taken to say what it said last.
class Lookup {
 public:
  Lookup(std::vector<std::string> urls, std::string ca_file);

  std::set<NsqAddress> nodes();                              // every nsqd
  std::set<NsqAddress> producers(const std::string& topic);  // those that have it
  const std::string& trouble() const { return trouble_; }    // why none of them answered the last question

 private:
  std::set<NsqAddress> ask(const std::string& path);

  const std::vector<std::string> urls_;
  const std::string ca_file_;
  std::map<std::string, std::set<NsqAddress>> known_;  // by URL and path
  std::string trouble_;
};

// An answer of /nodes or /lookup; what is no address is passed over. Throws std::invalid_argument for what is not JSON
// of that shape.
std::set<NsqAddress> parseProducers(const std::string& json);

}  // namespace ocelot::queue::nsq
