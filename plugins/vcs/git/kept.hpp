#pragma once
// Answers about commits, which never change: kept in memory, the least recently used forgotten first.

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace ocelot::vcs_git {

// [serial]
template <typename Answer>
class Kept {
 public:
  explicit Kept(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // nullptr: not kept. Valid until the next put().
  const Answer* find(const std::string& question) {
    const auto found = by_question_.find(question);
    if (found == by_question_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &entries_.front().answer;
  }

  // `bytes` is what the answer takes; one that is larger than a quarter of all is not kept.
  void put(const std::string& question, Answer answer, std::size_t bytes) {
    bytes += 2 * question.size() + sizeof(Entry);
    if (bytes > max_bytes_ / 4 || by_question_.count(question) != 0) return;
    entries_.push_front({question, std::move(answer), bytes});
    by_question_[question] = entries_.begin();
    for (bytes_ += bytes; bytes_ > max_bytes_; entries_.pop_back()) {
      bytes_ -= entries_.back().bytes;
      by_question_.erase(entries_.back().question);
    }
  }

 private:
  struct Entry {
    std::string question;
    Answer answer;
    std::size_t bytes;
  };
  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // the latest first
  std::unordered_map<std::string, typename std::list<Entry>::iterator> by_question_;
};

}  // namespace ocelot::vcs_git
