#pragma once
// A handle of a plugin, owned by the host.

#include "ocelot/bind/host.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

// Creates by the table, destroys with itself; the host that it lends outlives the handle.
template <class Table, class Handle>
class ImportedHandle {
 public:
  ImportedHandle(const Table& table, Wire& wire, const Settings& settings) : table_(table), host_(settings.host()) {
    const SettingsWire lent(settings);
    SimpleCall call{std::chrono::seconds(30)};
    wire.call(call, "create", Wire::Turn::serial,
              [&](Wire::Loans& loans) { return table_.create(loans.call(), &host_, &lent, &handle_); });
    if (handle_ == nullptr) throw Error(Status::internal, wire.who() + ": create answered OK without a handle");
  }
  ~ImportedHandle() {
    if (handle_ != nullptr) table_.destroy(handle_);
  }
  ImportedHandle(const ImportedHandle&) = delete;
  ImportedHandle& operator=(const ImportedHandle&) = delete;

  Handle* get() const { return handle_; }

 private:
  const Table& table_;
  HostWire host_;
  Handle* handle_ = nullptr;
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
