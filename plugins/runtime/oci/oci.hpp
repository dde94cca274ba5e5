#pragma once
// Containers without an engine: images kept by ourselves, crun (or runc) started per container, nothing that runs
// between builds. See README.md for the options and for what lies where.

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine.hpp"
#include "network.hpp"
#include "ocelot/runtime.hpp"
#include "ocelot/settings.hpp"
#include "record.hpp"
#include "registry.hpp"
#include "store.hpp"

namespace ocelot::oci {

class Oci final : public Runtime, public RuntimeImages {
 public:
  explicit Oci(const Settings& settings);
  // Leaves containers alone; the last one out takes the bridge away.
  ~Oci() override;

  RuntimeFacts probe(Call& call) override;
  Image pull(Call& call, const ImageRequest& request, const ProgressSink& progress) override;
  void start(Call& call, const ContainerSpec& spec) override;
  Exit wait(Call& call, std::string_view name) override;
  void kill(Call& call, std::string_view name, int signal) override;
  void remove(Call& call, std::string_view name) override;
  std::vector<Container> list(Call& call, std::string_view owner) override;

  Image importImage(Call& call, const std::string& source, const std::string& reference,
                    const ProgressSink& progress) override;
  std::vector<StoredImage> listImages(Call& call) override;
  void removeImage(Call& call, const std::string& reference) override;

 private:
  std::string containerFolder(std::string_view name) const;
  std::string storageFolder(std::string_view name) const;
  std::optional<Record> load(std::string_view name) const;
  void save(const Record& record) const;
  void open();  // makes the folders, once

  std::vector<std::string> takeLayers(Call& call, const ContainerSpec& spec, const std::string& storage);
  std::vector<struct Mount> mountsFor(const ContainerSpec& spec, const std::string& storage, const std::string& address,
                                      std::string& source) const;
  void bringUp(Call& call, const ContainerSpec& spec, Record& record, int turn);
  // A lock that is held while somebody works on starting or removing the container.
  Fd takeTurn(Call& call, std::string_view name) const;
  std::optional<Exit> recordedExit(std::string_view name) const;
  std::string overlayFailure(Call& call);
  void sweepStorage(Call& call);

  const std::string state_;
  const bool rootless_;
  Store store_;
  Engine engine_;
  Network network_;
  Registry registry_;
  std::mutex reaping_;  // one at a time takes an exit status and writes it down
  bool opened_ = false;
};

}  // namespace ocelot::oci
