#include "host/store/postgres/access.hpp"

namespace ocelot::store {

PostgresAccess::PostgresAccess(const StoreSettings& settings) : dsn_(settings.dsn), credentials_(settings.credentials) {
  if (credentials_) {
    PostgresLogin::requireNoUser(dsn_);
    shown_ = PostgresLogin(dsn_, "").shown();
    return;
  }
  login_ = std::make_shared<const PostgresLogin>(dsn_, settings.password);
  shown_ = login_->shown();
}

std::shared_ptr<const PostgresLogin> PostgresAccess::login() {
  if (!credentials_) return login_;
  const auto account = credentials_->account();
  const std::lock_guard lock(mutex_);
  if (!login_ || login_->account() != account) login_ = std::make_shared<const PostgresLogin>(dsn_, account);
  return login_;
}

bool PostgresAccess::superseded(const PostgresLogin& login) const {
  return credentials_ && credentials_->superseded(login.account());
}

bool PostgresAccess::doubt(const PostgresLogin& login) {
  if (!credentials_) return false;
  credentials_->doubt(login.account());
  return credentials_->superseded(login.account());
}

}  // namespace ocelot::store
