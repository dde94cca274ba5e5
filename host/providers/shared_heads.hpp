#pragma once
// The heads of a repository for many that ask at once: a burst of builds costs a few looks at it, not one each.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ocelot/vcs.hpp"

namespace ocelot::providers {

// Whoever asks while a look is under way waits for the next, which begins after all came that wait for it: no answer is
// older than its question, and what was pushed before it is in it. [any] thread.
class SharedHeads {
 public:
  using Look = std::function<std::vector<Head>()>;

  // Throws what the look throws, to all that share it; Error(cancelled) when the call ends while it waits.
  std::vector<Head> of(Call& call, const std::string& repository, const Look& look);
  std::size_t waiting(const std::string& repository) const;

 private:
  struct Answer;
  // The look that is under way, and the one that those who came since wait for.
  struct Line {
    std::shared_ptr<Answer> running, next;
  };
  std::shared_ptr<Answer> lead(std::unique_lock<std::mutex>& lock, const std::string& repository, const Look& look);

  mutable std::mutex mutex_;           // guards what follows
  std::map<std::string, Line> lines_;  // of repositories that are being asked
};

}  // namespace ocelot::providers
