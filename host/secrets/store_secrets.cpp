// The stand-in for Vault: encrypted values in the store, the key in a file of the machine.

#include <mutex>

#include "host/secrets/key_file.hpp"
#include "host/secrets/name.hpp"
#include "host/secrets/sealed_box.hpp"
#include "host/secrets/secrets.hpp"

namespace ocelot::secrets {
namespace {

// A known text under the key: tells the right key from another one before a secret is written with that. The name is
// none that a secret can have.
constexpr const char* kCheckName = ".key-check";
constexpr const char* kCheckText = "ocelot";

class StoreSecrets final : public Secrets {
 public:
  StoreSecrets(store::Store& store, std::string key_file) : store_(store), key_file_(std::move(key_file)) {}

  std::optional<std::string> find(const std::string& name) override {
    requireName(name);
    return reachable([&]() -> std::optional<std::string> {
      const auto box = store_.getBlob(name);
      if (!box) return std::nullopt;
      auto value = unseal(key(), name, *box);
      if (!value)
        throw Unavailable("read secret " + name + ": what the store holds does not open with the key in " + key_file_ +
                          "; put the secret again");
      return value;
    });
  }

  void put(const std::string& name, const std::string& value) override {
    requireName(name);
    requireFitting(name, value);
    reachable([&] {
      store_.putBlob(name, seal(key(), name, value));
      return true;
    });
  }

  bool add(const std::string& name, const std::string& value) override {
    requireName(name);
    requireFitting(name, value);
    return reachable([&] { return store_.addBlob(name, seal(key(), name, value)); });
  }

  bool remove(const std::string& name) override {
    requireName(name);
    return reachable([&] { return store_.removeBlob(name); });
  }

  std::vector<std::string> names(const std::string& prefix) override {
    return reachable([&] {
      auto names = store_.blobNames(prefix);
      // The check, and what the store itself keeps there: names that no secret can have.
      std::erase_if(names, [](const std::string& name) { return name.starts_with("."); });
      return names;
    });
  }

  std::string whyAway() override {
    try {
      reachable([&] { return key().size(); });
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  }

 private:
  // Read at the first use: a daemon may start while the store is away.
  const Key& key() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (key_) return *key_;
    auto check = store_.getBlob(kCheckName);
    auto key = readKeyIfPresent(key_file_);
    if (!key && check)
      throw Unavailable(
          "read the key of the secrets, " + key_file_ +
          ": it is not there, and the store holds secrets that were made with it; put the file back (it is in a "
          "backup; on a second machine, copy it from the first)");
    if (!key) key = makeKey(key_file_);
    // Of several machines that start at once, the first decides; the others find out right below.
    if (!check && !store_.addBlob(kCheckName, seal(*key, kCheckName, kCheckText))) check = store_.getBlob(kCheckName);
    if (check && unseal(*key, kCheckName, *check) != kCheckText)
      throw Unavailable(
          "use the key in " + key_file_ +
          ": the secrets of this store were made with another one; put the right file there (it is in a backup; "
          "on a second machine, copy it from the first)");
    key_ = key;
    return *key_;
  }

  template <typename Action>
  auto reachable(const Action& action) -> decltype(action()) {
    try {
      return action();
    } catch (const store::Unavailable& error) {
      throw Unavailable(std::string("reach the secrets: ") + error.what());
    }
  }

  store::Store& store_;
  const std::string key_file_;
  std::mutex mutex_;
  std::optional<Key> key_;
};

}  // namespace

std::unique_ptr<Secrets> openStoreSecrets(store::Store& store, const std::string& key_file) {
  return std::make_unique<StoreSecrets>(store, key_file);
}

}  // namespace ocelot::secrets
