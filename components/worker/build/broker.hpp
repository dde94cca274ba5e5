#pragma once
// Answers the guest's questions for secrets, over a socket in a folder of its own below control/. A folder, because a
// bind-mounted socket file stays dead when its listener restarts.
//
//   GET <stage index> <NAME>\n   →   OK <size>\n<bytes>   |   ERR <sentence>\n

#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ocelot::worker {

class Broker {
 public:
  // `allowed[i]`: the names that stage i may have. Listens at once; stops and joins in the destructor.
  Broker(const std::string& control_folder, std::map<std::string, std::string> secrets,
         std::vector<std::set<std::string>> allowed);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

 private:
  void serve();
  std::string answer(const std::string& question) const;

  std::map<std::string, std::string> secrets_;
  std::vector<std::set<std::string>> allowed_;
  int listener_ = -1;
  int stop_ = -1;  // eventfd
  std::thread thread_;
};

}  // namespace ocelot::worker
