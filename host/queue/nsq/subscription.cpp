#include "host/queue/nsq/subscription.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "host/queue/nsq/pause.hpp"
#include "host/queue/queue.hpp"

namespace ocelot::queue::nsq {
namespace {

using std::chrono::milliseconds;

constexpr const char* kChannel = "worker";
constexpr milliseconds kFarewell{500};
// nsqd answers CLS in one thread and sends messages in another: one may come after the answer, never long after.
constexpr milliseconds kStragglers{100};
constexpr milliseconds kBeatEvery{10000};
// nsqd is told to send one every kBeatEvery; two and a half without any, and it is gone.
constexpr milliseconds kSilence = kBeatEvery * 5 / 2;

}  // namespace

Subscription::Subscription(const Access& access, NsqAddress address, std::string topic, Mailbox& mailbox)
    : access_(access),
      address_(std::move(address)),
      topic_(std::move(topic)),
      mailbox_(mailbox),
      trouble_("connect to nsqd " + address_.text() + ": not done yet"),
      thread_([this] { run(); }) {}

Subscription::~Subscription() {
  stop();
  thread_.join();
  mailbox_.forget(*this);
}

std::string Subscription::trouble() const {
  const std::lock_guard lock(mutex_);
  return connected_ ? "" : trouble_;
}

void Subscription::ready(int count) {
  if (ready_.exchange(count) != count) signal_.set();
}

void Subscription::queueCommand(std::string command) {
  const std::lock_guard lock(mutex_);
  pending_ += command;
  signal_.set();
}

void Subscription::finish(const std::string& id) { queueCommand(fin(id)); }
void Subscription::giveBack(const std::string& id) { queueCommand(req(id)); }

void Subscription::stop() {
  stop_ = true;
  signal_.set();
}

void Subscription::run() {
  Pause pause(milliseconds(100), milliseconds(15000));
  while (!stop_) {
    try {
      serve();
    } catch (const Unavailable& away) {
      const std::lock_guard lock(mutex_);
      trouble_ = away.what();
    }
    if (connected_.exchange(false)) {
      pause.reset();
      mailbox_.lost(*this);
    }
    const auto until = Clock::now() + pause.next();
    while (!stop_ && Clock::now() < until) {
      const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
      pollfd wake{signal_.fd(), POLLIN, 0};
      ::poll(&wake, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
      signal_.take();
    }
  }
  stopped_ = true;
}

void Subscription::serve() {
  Connection connection(access_, address_, kBeatEvery);
  connection.answer(sub(topic_, kChannel));
  {
    const std::lock_guard lock(mutex_);
    pending_.clear();  // of an earlier connection: its messages are others' now
  }
  connected_ = true;
  if (std::exchange(was_connected_, true)) mailbox_.mayHaveMissed();
  mailbox_.changed();  // it is to be told how many it may have
  int told_ready = 0;
  auto heard = Clock::now();
  while (!stop_) {
    sendPending(connection, told_ready);
    if (const auto frame = connection.read(heard + kSilence, signal_.fd())) {
      heard = Clock::now();
      take(connection, *frame);
    } else if (!signal_.take() && Clock::now() >= heard + kSilence) {
      throw Unavailable("listen at nsqd " + address_.text() + ": nothing came, not even a heartbeat, for " +
                        std::to_string(kSilence.count() / 1000) + " s");
    }
  }
  // What is on its way to us yet goes back, rather than wait for its time-out.
  sendPending(connection, told_ready);
  connection.send(cls());
  auto until = Clock::now() + kFarewell;
  while (const auto frame = connection.read(until)) {
    take(connection, *frame);
    const bool close_wait = frame->type == FrameType::response && frame->data != kHeartbeat;
    if (close_wait) until = Clock::now() + kStragglers;
  }
}

void Subscription::sendPending(Connection& connection, int& told_ready) {
  std::string commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(pending_);
  }
  const int ready = stop_ ? 0 : std::min(ready_.load(), connection.maxReady());
  // Fewer first: what is given back below is not to come here again.
  if (ready < told_ready) commands = rdy(ready) + commands;
  if (ready > told_ready) commands += rdy(ready);
  told_ready = ready;
  if (!commands.empty()) connection.send(commands);
}

void Subscription::take(Connection& connection, const Frame& frame) {
  const auto bad = [this](const std::string& why) {
    return Unavailable("listen to " + topic_ + " at nsqd " + address_.text() + ": " + why);
  };
  if (frame.type == FrameType::error && endsConnection(frame.data)) throw bad(shown(frame.data));
  if (frame.type != FrameType::message) return;
  // Whatever it says, it says that there may be work: a later version's wake-up wakes too.
  try {
    const Message message = parseMessage(frame);
    if (!mailbox_.put(*this, topic_, message.id)) connection.send(req(message.id));
  } catch (const ProtocolError& error) {
    throw bad(error.what());
  }
}

}  // namespace ocelot::queue::nsq
