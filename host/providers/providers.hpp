#pragma once
// The VCS providers that the operator configured, by name; "git" is always there. Each is a plugin instance, made when
// it is first needed. Handles are serial, so each is lent to one caller at a time; a provider that several callers
// want at once gets several, up to four.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/config/config.hpp"
#include "host/providers/shared_heads.hpp"
#include "ocelot/vcs.hpp"

namespace ocelot::providers {

struct Identified {
  std::string provider;
  Repo repo;
};

// [any] thread.
class Providers {
 public:
  // `config` and `resolve` outlive it.
  Providers(const config::Config& config, config::Resolver resolve);
  ~Providers();
  Providers(const Providers&) = delete;
  Providers& operator=(const Providers&) = delete;

  std::vector<std::string> names() const;
  // Runs `use` with the provider of this name. Throws Error(not_found) when there is none by that name, Error(invalid)
  // when its plugin or its options are wrong, and what `use` throws.
  void with(const std::string& name, const std::function<void(Vcs&)>& use);
  // Every branch of the repo and its head, as it is now: who asks at the same time shares the answer. Throws what
  // with() throws.
  std::vector<Head> heads(Call& call, const std::string& name, const Repo& repo);
  // The provider that knows this URL, and what it calls the repo: the named one, else each in order of names with "git"
  // last. Throws Error(not_found, invalid).
  Identified identify(Call& call, const std::string& url, const std::string& provider);

 private:
  struct Handle;
  struct Slot;
  class Loan;
  Slot& slot(const std::string& name);
  std::unique_ptr<Handle> make(config::Instance instance) const;
  void fillGitDefaults(config::Instance& instance) const;
  const config::Config& config_;
  config::Resolver resolve_;
  std::vector<std::unique_ptr<Slot>> slots_;
  SharedHeads shared_heads_;
};

}  // namespace ocelot::providers
