#pragma once
// Where a build's process asks its worker for a secret, when the build has no pass of its own: the embedded store,
// which only daemons open, and a Vault that the workers read by themselves.
//
//   GET <build id> <NAME>\n   →   OK <size>\n<bytes>  |  NONE\n  |  AWAY <sentence>\n  |  NO <sentence>\n
//
// The socket lies in the worker's run folder, which is its own alone. A worker that comes after listens under the same
// name, so that a build that outlived the one before finds it.

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/process/event.hpp"
#include "host/process/fd.hpp"

namespace ocelot::worker {

class SecretDesk {
 public:
  // The value; nullopt: there is none of that name. Throws secrets::Unavailable: ask again; anything else: no. [any]
  // thread.
  using Find = std::function<std::optional<std::string>(const std::string& build_id, const std::string& name)>;

  // Makes the socket's folder and listens; a few threads, which the destructor joins.
  SecretDesk(const std::string& path, Find find);
  ~SecretDesk();
  SecretDesk(const SecretDesk&) = delete;
  SecretDesk& operator=(const SecretDesk&) = delete;

 private:
  void serve();
  std::string answer(const std::string& question) const;

  const std::string path_;
  const Find find_;
  process::Fd listener_;
  process::Event stop_;
  std::vector<std::thread> threads_;
};

}  // namespace ocelot::worker
