#include "host/providers/shared_heads.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>

namespace ocelot::providers {
namespace {

// A caller without a descriptor to wait on is asked that often whether it still waits.
constexpr std::chrono::milliseconds kGlance{100};

}  // namespace

struct SharedHeads::Answer {
  std::condition_variable changed;  // it is there, or somebody has to look
  std::size_t waiting = 0;
  bool done = false;
  std::vector<Head> heads;
  std::exception_ptr error;
};

std::shared_ptr<SharedHeads::Answer> SharedHeads::lead(std::unique_lock<std::mutex>& lock,
                                                       const std::string& repository, const Look& look) {
  const auto answer = lines_[repository].running;
  lock.unlock();
  std::vector<Head> heads;
  std::exception_ptr error;
  try {
    heads = look();
  } catch (...) {
    error = std::current_exception();
  }
  lock.lock();
  answer->heads = std::move(heads);
  answer->error = error;
  answer->done = true;
  answer->changed.notify_all();
  Line& line = lines_[repository];
  line.running.reset();
  if (line.next && line.next->waiting != 0) {
    line.next->changed.notify_all();
  } else {
    lines_.erase(repository);
  }
  return answer;
}

std::vector<Head> SharedHeads::of(Call& call, const std::string& repository, const Look& look) {
  std::unique_lock lock(mutex_);
  Line& line = lines_[repository];
  std::shared_ptr<Answer> answer;
  if (!line.running && !line.next) {
    line.running = std::make_shared<Answer>();
    answer = lead(lock, repository, look);
  } else {
    if (!line.next) line.next = std::make_shared<Answer>();
    answer = line.next;
    ++answer->waiting;
    while (!answer->done) {
      const auto now = lines_.find(repository);
      // Nobody looks: the first to notice does, for all of them.
      if (now != lines_.end() && !now->second.running && now->second.next == answer) {
        now->second.running = std::move(now->second.next);
        now->second.next.reset();
        lead(lock, repository, look);
        break;
      }
      try {
        call.check("waiting for the heads of " + repository);
      } catch (...) {
        // The last one leaves nothing behind: nobody else would.
        if (--answer->waiting == 0 && now != lines_.end() && !now->second.running) lines_.erase(now);
        throw;
      }
      const int left = call.remainingMs();
      answer->changed.wait_for(
          lock, left < 0 ? kGlance : std::min<std::chrono::milliseconds>(kGlance, std::chrono::milliseconds(left)));
    }
    --answer->waiting;
  }
  if (answer->error) std::rethrow_exception(answer->error);
  return answer->heads;
}

std::size_t SharedHeads::waiting(const std::string& repository) const {
  const std::lock_guard guard(mutex_);
  const auto line = lines_.find(repository);
  return line == lines_.end() || !line->second.next ? 0 : line->second.next->waiting;
}

}  // namespace ocelot::providers
