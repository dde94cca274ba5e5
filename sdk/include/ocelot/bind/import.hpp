#pragma once
// The caller's end of the wire, for every kind: lends a call and sinks, checks the status that comes back, and turns it
// into an Error. In checking mode it also watches that both sides keep the rules.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "ocelot/bind/call.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

// Told a sentence about each broken rule: two [serial] calls at a time on one handle (the caller's fault), a sink or a
// call used after its end, a status that does not exist, a failure without a reason (the plugin's). Checking is off
// when empty, and costs nothing then. [any]
using Misbehaviour = std::function<void(const std::string& sentence)>;

// What one call lent out. When the call has ended it is freed, or, in checking mode, kept: a plugin that uses it later
// is then found out instead of touching freed memory.
class Loan {
 public:
  virtual ~Loan() = default;
  virtual void end() noexcept = 0;
  virtual std::exception_ptr thrown() const { return nullptr; }
};

template <class Sink, class Item>
class SinkWire final : public Sink, public Loan {
 public:
  SinkWire(std::function<void(const Item&)> take, const Misbehaviour& misbehaviour)
      : Sink{}, take_(std::move(take)), misbehaviour_(misbehaviour) {
    this->size = sizeof(Sink);
    this->put = [](const Sink* self, const Item* item) {
      return const_cast<SinkWire*>(static_cast<const SinkWire*>(self))->receive(item);
    };
  }
  void end() noexcept override { ended_ = true; }
  std::exception_ptr thrown() const override { return thrown_; }

 private:
  ocelot_status receive(const Item* item) noexcept {
    // What the caller's own code throws is kept and thrown again once the plugin has returned.
    const auto keep = [this](const char*) { thrown_ = std::current_exception(); };
    return guarded("result", keep, [&] {
      if (ended_) {
        misbehaviour_("a result was put to a sink after its call had returned");
        throw Error(Status::internal, "the call is over");
      }
      take_(seen(item));
    });
  }

  std::function<void(const Item&)> take_;
  const Misbehaviour& misbehaviour_;
  std::atomic<bool> ended_{false};
  std::exception_ptr thrown_;
};

class LoanedCall final : public CallWire, public Loan {
 public:
  LoanedCall(Call& call, const Misbehaviour& misbehaviour) : CallWire(call), misbehaviour_(misbehaviour) {}
  void end() noexcept override {
    if (!misbehaviour_) return;
    cancelled = [](const ocelot_call* self) -> std::int32_t {
      late(self, "cancelled");
      return 1;
    };
    log = [](const ocelot_call* self, std::int32_t, ocelot_str) { late(self, "log"); };
    fail = [](ocelot_call* self, ocelot_str) { late(self, "fail"); };
  }

 private:
  static void late(const ocelot_call* self, const char* member) noexcept {
    guarded(
        member, [](const char*) {},
        [&] {
          const auto& me = static_cast<const LoanedCall&>(static_cast<const CallWire&>(*self));
          me.misbehaviour_(std::string("ocelot_call.") + member + " was used after its call had returned");
        });
  }
  const Misbehaviour& misbehaviour_;
};

// One handle's wire.
class Wire {
 public:
  enum class Turn { serial, any };

  // `who` begins the sentences about the plugin's faults: "plugin com.example.gitea (work-gitea)".
  Wire(std::string who, Misbehaviour misbehaviour) : who_(std::move(who)), misbehaviour_(std::move(misbehaviour)) {}

  class Loans {
   public:
    Loans(Wire& wire, Call& call) : wire_(wire) {
      auto lent = std::make_unique<LoanedCall>(call, wire.misbehaviour_);
      call_ = lent.get();
      all_.push_back(std::move(lent));
    }
    ~Loans() {
      for (const auto& loan : all_) loan->end();
      if (wire_.misbehaviour_) wire_.bury(std::move(all_));
    }
    Loans(const Loans&) = delete;
    Loans& operator=(const Loans&) = delete;

    ocelot_call* call() { return call_; }
    const std::string& why() const { return call_->why(); }

    // A sink that gives every item to `take`; what that throws comes out of Wire::call.
    template <class Sink, class Item, class Take>
    const Sink* sink(Take take) {
      auto made = std::make_unique<SinkWire<Sink, Item>>(std::function<void(const Item&)>(std::move(take)),
                                                         wire_.misbehaviour_);
      const Sink* lent = made.get();
      all_.push_back(std::move(made));
      return lent;
    }
    // A sink for exactly one result, converted by `convert` into `out`.
    template <class Sink, class Item, class Result, class Convert>
    const Sink* one(std::optional<Result>& out, Convert convert) {
      return sink<Sink, Item>([&out, convert](const Item& item) {
        if (out) throw Error(Status::internal, "the plugin gave two results where one is due");
        out = convert(item);
      });
    }
    void rethrow() const {
      for (const auto& loan : all_)
        if (const auto thrown = loan->thrown()) std::rethrow_exception(thrown);
    }

   private:
    Wire& wire_;
    LoanedCall* call_;
    std::vector<std::unique_ptr<Loan>> all_;
  };

  // `body(Loans&)` makes the C call and returns its status.
  template <class Body>
  void call(Call& call, const char* member, Turn turn, Body&& body) {
    const Serial serial(*this, member, turn);
    Loans loans(*this, call);
    const ocelot_status status = body(loans);
    loans.rethrow();
    if (status != OCELOT_OK) raise(member, status, loans.why());
  }

  // The same for a member that gives one result.
  template <class Result, class Body>
  Result callForOne(Call& lent, const char* member, Turn turn, Body&& body) {
    std::optional<Result> result;
    call(lent, member, turn, [&](Loans& loans) { return body(loans, result); });
    if (!result) throw Error(Status::internal, who_ + ": " + member + " answered OK without a result");
    return std::move(*result);
  }

  const std::string& who() const { return who_; }

 private:
  // In checking mode: no two [serial] calls at a time.
  class Serial {
   public:
    Serial(Wire& wire, const char* member, Turn turn)
        : wire_(wire), watching_(wire.misbehaviour_ && turn == Turn::serial) {
      if (!watching_) return;
      if (const char* other = wire_.busy_.exchange(member))
        wire_.misbehaviour_(wire_.who_ + ": " + member + " was called while " + other +
                            " was in progress on the same handle");
    }
    ~Serial() {
      if (watching_) wire_.busy_ = nullptr;
    }
    Serial(const Serial&) = delete;
    Serial& operator=(const Serial&) = delete;

   private:
    Wire& wire_;
    bool watching_;
  };

  [[noreturn]] void raise(const char* member, ocelot_status status, const std::string& why) {
    const bool known = status > OCELOT_OK && status <= OCELOT_INTERNAL;
    if (misbehaviour_ && !known)
      misbehaviour_(who_ + ": " + member + " returned status " + std::to_string(status) + ", which does not exist");
    if (misbehaviour_ && why.empty()) misbehaviour_(who_ + ": " + member + " failed and told no reason");
    throw Error(statusFrom(status), !why.empty() ? why
                                                 : who_ + ": " + member + " failed with status " +
                                                       std::to_string(status) + " and told no reason");
  }

  void bury(std::vector<std::unique_ptr<Loan>> loans) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& loan : loans) buried_.push_back(std::move(loan));
  }

  std::string who_;
  Misbehaviour misbehaviour_;
  std::atomic<const char*> busy_{nullptr};
  std::mutex mutex_;  // guards buried_
  std::vector<std::unique_ptr<Loan>> buried_;
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
