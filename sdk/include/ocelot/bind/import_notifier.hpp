#pragma once
// The C table "ocelot.notifier/1" as an ocelot::Notifier.

#include "ocelot/bind/imported.hpp"
#include "ocelot/bind/values_notifier.hpp"

namespace ocelot {
inline namespace v1 {
namespace bind {

class ImportedNotifier final : public Notifier {
 public:
  // `table` lives for ever; `settings.host()` outlives this object. Throws what create() refused with.
  ImportedNotifier(const ocelot_notifier* table, std::string who, const Settings& settings,
                   Misbehaviour misbehaviour = {})
      : table_(seen(table)), wire_(std::move(who), std::move(misbehaviour)), own_(table_, wire_, settings) {}

  void tell(Call& call, const BuildNotice& notice, const std::string& target) override {
    const NoticeWire lent(notice);
    wire_.call(call, "tell", Wire::Turn::serial,
               [&](Wire::Loans& loans) { return table_.tell(own_.get(), loans.call(), &lent, str(target)); });
  }

 private:
  const ocelot_notifier table_;
  Wire wire_;
  ImportedHandle<ocelot_notifier, ocelot_notifier_handle> own_;
};

}  // namespace bind
}  // namespace v1
}  // namespace ocelot
