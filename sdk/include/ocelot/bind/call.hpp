#pragma once
// A call across the wire: CallWire lends one out as a C struct, LentCall is one that was lent.

#include <cstdint>

#include "ocelot/bind/common.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

// Lends `call` to the other side and keeps the reason that it gives. Must live until the other side has returned.
class CallWire : public ocelot_call {
 public:
  explicit CallWire(Call& call) : ocelot_call{}, call_(call) {
    size = sizeof(ocelot_call);
    cancel_fd = call.cancelFd();
    const auto until = call.deadline();
    using std::chrono::milliseconds;
    deadline_ms = until == Call::Clock::time_point::max()
                      ? 0
                      : std::chrono::duration_cast<milliseconds>(until.time_since_epoch()).count();
    cancelled = [](const ocelot_call* self) -> std::int32_t {
      bool answer = true;
      guarded("cancelled", kNobody, [&] { answer = of(self).call_.cancelled(); });
      return answer ? 1 : 0;
    };
    log = [](const ocelot_call* self, std::int32_t level, ocelot_str line) {
      guarded("log", kNobody, [&] {
        const bool known = level >= OCELOT_LOG_DEBUG && level <= OCELOT_LOG_ERROR;
        of(self).call_.log(known ? static_cast<LogLevel>(level) : LogLevel::error, view(line));
      });
    };
    fail = [](ocelot_call* self, ocelot_str why) {
      guarded("fail", kNobody, [&] { static_cast<CallWire*>(self)->why_ = text(why); });
    };
  }
  CallWire(const CallWire&) = delete;
  CallWire& operator=(const CallWire&) = delete;

  const std::string& why() const { return why_; }

 private:
  static constexpr auto kNobody = [](const char*) {};
  static const CallWire& of(const ocelot_call* self) { return *static_cast<const CallWire*>(self); }

  Call& call_;
  std::string why_;
};

// A call that the other side lent; lives on the stack of the callee.
class LentCall final : public Call {
 public:
  explicit LentCall(ocelot_call* call) : call_(call), seen_(seen(call)) {}

  Clock::time_point deadline() const override {
    if (seen_.deadline_ms == 0) return Clock::time_point::max();
    return Clock::time_point(std::chrono::milliseconds(seen_.deadline_ms));
  }
  bool cancelled() const override { return seen_.cancelled != nullptr && seen_.cancelled(call_) != 0; }
  int cancelFd() const override { return seen_.cancel_fd; }
  void log(LogLevel level, std::string_view line) override {
    if (seen_.log != nullptr) seen_.log(call_, static_cast<std::int32_t>(level), str(line));
  }

 private:
  ocelot_call* call_;
  ocelot_call seen_;
};

// Runs `body(Call&)` for a call that the other side made: the callee's end of the wire.
template <class Body>
ocelot_status answer(ocelot_call* call, const char* doing, Body&& body) noexcept {
  const auto tell = [call](const char* why) {
    if (call != nullptr && OCELOT_HAS(ocelot_call, call, fail) && call->fail != nullptr) call->fail(call, str(why));
  };
  return guarded(doing, tell, [&] {
    LentCall lent(call);
    body(lent);
  });
}

// One result to a sink of the other side. Its refusal ends the callee's loop by an Error.
template <class Sink, class Item>
void emit(const Sink* sink, const Item& item) {
  if (sink == nullptr || sink->put == nullptr) throw Error(Status::internal, "the caller passed no sink");
  const ocelot_status status = sink->put(sink, &item);
  if (status != OCELOT_OK) throw Error(statusFrom(status), "the caller took no more results");
}

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
