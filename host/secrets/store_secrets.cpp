// The stand-in for Vault: encrypted values in the store, the key in a file of the machine.

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "host/secrets/key_file.hpp"
#include "host/secrets/sealed_box.hpp"
#include "host/secrets/secrets.hpp"

namespace ocelot::secrets {
namespace {

constexpr std::size_t kLongestValue = 64 * 1024;
constexpr std::size_t kLongestName = 512;
// A known text under the key: tells the right key from another one before a secret is written with that. The name is
// none that a secret can have.
constexpr const char* kCheckName = ".key-check";
constexpr const char* kCheckText = "ocelot";

void requireName(const std::string& name) {
  bool good = !name.empty() && name.size() <= kLongestName;
  for (std::size_t begin = 0; good && begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    good = !part.empty() && part[0] != '.' &&
           part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               std::string::npos;
    begin = end + 1;
  }
  if (!good)
    throw std::invalid_argument(
        "name a secret \"" + name +
        "\": a name is parts of letters, digits, '.', '_' and '-', joined by '/', none beginning with "
        "a dot, 512 bytes at most");
}

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
    if (value.size() > kLongestValue)
      throw std::invalid_argument("put secret " + name + ": it has " + std::to_string(value.size()) +
                                  " bytes, at most 65536 are allowed");
    reachable([&] {
      store_.putBlob(name, seal(key(), name, value));
      return true;
    });
  }

  bool remove(const std::string& name) override {
    requireName(name);
    return reachable([&] { return store_.removeBlob(name); });
  }

  std::vector<std::string> names(const std::string& prefix) override {
    return reachable([&] {
      auto names = store_.blobNames(prefix);
      std::erase(names, kCheckName);
      return names;
    });
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
