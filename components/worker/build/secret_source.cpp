#include "components/worker/build/secret_source.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>

#include "components/worker/local_socket.hpp"
#include "host/process/event.hpp"

namespace ocelot::worker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kDeskAnswers{60000};
constexpr std::size_t kDeskAnswer = (64u << 10) + 4096;
constexpr std::chrono::milliseconds kRevokeAtMost{5000};

class GivenSecrets final : public SecretSource {
 public:
  explicit GivenSecrets(std::map<std::string, std::string> values) : values_(std::move(values)) {}
  std::optional<std::string> find(const std::string& name) override {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }
  std::string place(const std::string&) const override { return "what this run was given"; }

 private:
  const std::map<std::string, std::string> values_;
};

class SecretsByPass final : public SecretSource {
 public:
  SecretsByPass(const builddir::SecretsAccess& access, const std::string& token)
      : prefix_(access.prefix), place_(access.mount + "/" + access.kv_prefix + (access.kv_prefix.empty() ? "" : "/")) {
    secrets::VaultPlace vault = vaultOf(access);
    vault.stop_fd = stop_.fd();
    const auto log = [](LogLevel, std::string_view text) { std::cerr << "pass: " << text << std::endl; };
    pass_ = secrets::openPass(vault, {access.mount, access.kv_prefix, access.kv_version}, token, log);
  }
  ~SecretsByPass() override { stop_.set(); }
  std::optional<std::string> find(const std::string& name) override { return pass_->find(prefix_ + name); }
  std::string place(const std::string& name) const override { return "Vault, at " + place_ + prefix_ + name; }
  void stop() override { stop_.set(); }

 private:
  const std::string prefix_, place_;
  process::Event stop_;  // before what waits for it
  std::unique_ptr<secrets::Secrets> pass_;
};

class SecretsOfTheDesk final : public SecretSource {
 public:
  SecretsOfTheDesk(const builddir::SecretsAccess& access, std::string build_id)
      : desk_(access.desk), prefix_(access.prefix), build_id_(std::move(build_id)) {}
  std::string place(const std::string& name) const override { return "the secret store, as " + prefix_ + name; }
  void stop() override { stop_.set(); }

  std::optional<std::string> find(const std::string& name) override {
    try {
      const process::Fd desk = connectTo(desk_);
      const std::string question = "GET " + build_id_ + " " + name + "\n";
      if (::send(desk.get(), question.data(), question.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(question.size()))
        throw secrets::Unavailable("ask the worker for it: it hung up");
      return read(receive(desk.get()));
    } catch (const std::system_error& error) {
      throw secrets::Unavailable(std::string("ask the worker for it: ") + error.what() +
                                 " (it is not there; the next one answers)");
    }
  }

 private:
  std::string receive(int desk) const {
    std::string answer;
    std::array<char, 16384> buffer;
    const auto until = Clock::now() + kDeskAnswers;
    while (answer.size() <= kDeskAnswer) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
      std::array<pollfd, 2> fds{{{desk, POLLIN, 0}, {stop_.fd(), POLLIN, 0}}};
      if (left <= 0 || ::poll(fds.data(), fds.size(), static_cast<int>(left)) == 0)
        throw secrets::Unavailable("ask the worker for it: no answer within 60 s");
      if (fds[1].revents) throw secrets::Unavailable("the build has ended");
      const ssize_t got = ::recv(desk, buffer.data(), buffer.size(), 0);
      if (got <= 0) return answer;
      answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return answer;
  }

  static std::optional<std::string> read(const std::string& answer) {
    const std::size_t end = answer.find('\n');
    const std::string line = answer.substr(0, end);
    if (end != std::string::npos) {
      if (line == "NONE") return std::nullopt;
      if (line.compare(0, 5, "AWAY ") == 0) throw secrets::Unavailable(line.substr(5));
      if (line.compare(0, 3, "NO ") == 0) throw secrets::Refused(line.substr(3));
      if (line == "OK " + std::to_string(answer.size() - end - 1)) return answer.substr(end + 1);
    }
    throw secrets::Unavailable("ask the worker for it: it went away in the middle of its answer");
  }

  const std::string desk_, prefix_, build_id_;
  process::Event stop_;
};

// A build that was taken up again while nobody could say where its secrets are.
class NoSecrets final : public SecretSource {
 public:
  std::optional<std::string> find(const std::string&) override {
    throw secrets::Refused(
        "the secret store was away when this build's process had to be replaced, and no pass was to be had; rerun it");
  }
  std::string place(const std::string&) const override { return "the secret store"; }
};

std::string spokenMinutes(std::chrono::seconds time) {
  return time.count() % 60 == 0 ? std::to_string(time.count() / 60) + " min" : std::to_string(time.count()) + " s";
}

}  // namespace

std::unique_ptr<SecretSource> sourceOf(const builddir::Envelope& envelope, const builddir::Directory& directory,
                                       const std::string& build_id, std::int64_t timeout_ms,
                                       const std::function<void(const std::string&)>& say) {
  const builddir::SecretsAccess& access = envelope.access;
  if (!envelope.secrets.empty()) return std::make_unique<GivenSecrets>(envelope.secrets);
  if (access.prefix.empty()) return std::make_unique<NoSecrets>();
  if (!access.desk.empty()) return std::make_unique<SecretsOfTheDesk>(access, build_id);
  if (access.pass.empty()) {
    const auto kept = builddir::readIfPresent(directory.pass(), 4096);
    if (!kept) return std::make_unique<NoSecrets>();
    return std::make_unique<SecretsByPass>(access, *kept);
  }
  const auto pass = secrets::unwrapPass(vaultOf(access), access.pass);
  builddir::replaceFile(directory.pass(), pass.token);
  const std::int64_t good_ms = pass.ttl.count() * 1000;
  if (!pass.renewable && good_ms > 0 && (timeout_ms == 0 || timeout_ms > good_ms))
    say("secrets can be had for " + spokenMinutes(pass.ttl) +
        ", which is less than this build may take: Vault does not renew its pass; whoever runs Vault sets "
        "renewable=true "
        "in the token role of vault.build_role");
  return std::make_unique<SecretsByPass>(access, pass.token);
}

void endPass(const secrets::VaultPlace& place, const builddir::Directory& directory) {
  try {
    const auto token = builddir::readIfPresent(directory.pass(), 4096);
    if (!token) return;
    secrets::VaultPlace quick = place;
    quick.timeout = std::min(quick.timeout, kRevokeAtMost);
    secrets::revokePass(quick, *token);
    ::unlink(directory.pass().c_str());
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
  }
}

secrets::VaultPlace vaultOf(const builddir::SecretsAccess& access) {
  secrets::VaultPlace place;
  place.url = access.url;
  place.ca_file = access.ca_file;
  place.name_space = access.name_space;
  place.timeout = std::chrono::milliseconds(access.timeout_ms);
  return place;
}

}  // namespace ocelot::worker
