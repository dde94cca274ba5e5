#pragma once
// Answers the guest's questions for secrets, over a socket in a folder of its own below control/. A folder, because a
// bind-mounted socket file stays dead when its listener restarts.
//
//   GET <stage index> <NAME>\n   →   OK <size>\n<bytes>   |   ERR <sentence>\n
//
//   asked ─ fetched from its source, at the first ask ─ told to the build process (take) ─ masked in the log from here
//   on, durably ─ learnt() ─ handed out
//
// A secret that the store is away for is waited for, with a sentence in the log, as long as somebody asks: the guest
// hangs up when the stage's time is over. One that is not there or refused is an ERR, and looked for anew at the next
// ask.
//
// *Rationale:* a value is fetched once a build and then the same for every ask, also after an adoption. A stage that
// asks twice would not understand two answers, and what was served stays masked as what it was.
//
// Two threads: one talks with the guest and never waits, one waits for the source. take() and learnt() are the build
// process's own thread's, which neither holds up.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "components/worker/build/secret_source.hpp"
#include "host/process/event.hpp"
#include "host/process/fd.hpp"

namespace ocelot::worker {

class Broker {
 public:
  // `allowed[i]`: the names that stage i may have. `served`: name → value, of what was learnt before. Listens at once.
  // `source` outlives it; the destructor stops it. `patience`: with somebody who neither asks nor takes his answer.
  Broker(const std::string& control_folder, SecretSource& source, std::vector<std::set<std::string>> allowed,
         const std::map<std::string, std::string>& served,
         std::chrono::milliseconds patience = std::chrono::milliseconds(5000));
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // What has to stand in the build's log, or be masked there, in this order.
  struct Word {
    std::string secret;  // its name; "": a sentence
    std::string text;    // value, or sentence
  };
  int fd() const { return words_there_.fd(); }  // readable when take() has something
  std::vector<Word> take();
  // The log masks it: it can be handed out.
  void learnt(const std::string& name);

 private:
  using Clock = std::chrono::steady_clock;
  struct Visitor {
    process::Fd socket;
    Clock::time_point until;  // for its question, then for taking the answer
    std::string question, name, answer;
    bool asked = false, answered = false;
  };
  struct Secret {
    enum class State { wanted, fetching, fetched, known, refused } state = State::wanted;
    std::string text;  // value, or why not
    Clock::time_point since, try_at, told_at;
    int tries = 0;
  };

  void serve();
  void accept();
  bool attend(Visitor& visitor, bool hung_up);  // false: it can go
  void listenTo(Visitor& visitor);
  std::string answerAtOnce(Visitor& visitor);  // "": there is none yet
  void forgetUnasked();

  void fetch();
  void fetchOne(std::unique_lock<std::mutex>& lock, const std::string& name);
  void waited(const std::string& name, Secret& secret, const std::string& why);

  SecretSource& source_;
  const std::vector<std::set<std::string>> allowed_;
  const std::chrono::milliseconds patience_;
  process::Fd listener_;
  process::Event stop_, answers_there_, words_there_;
  std::list<Visitor> visitors_;  // of serve()
  int asks_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable wanted_;
  std::map<std::string, Secret> secrets_;
  std::vector<Word> words_;
  bool stopping_ = false;
  std::thread door_, fetcher_;
};

}  // namespace ocelot::worker
