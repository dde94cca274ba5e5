#pragma once
// Builds in containers of a Docker Engine on this machine, by its REST API. What the engine keeps is found again by
// labels, so nothing is remembered here and any number of processes may work beside each other.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocelot/runtime.hpp"
#include "ocelot/settings.hpp"

namespace ocelot::docker {

class Engine;
struct Question;
struct Found;
struct Reference;

class Docker final : public Runtime, public RuntimeImages {
 public:
  explicit Docker(const Settings& settings);
  ~Docker() override;

  RuntimeFacts probe(Call&) override;
  Image pull(Call&, const ImageRequest&, const ProgressSink&) override;
  void start(Call&, const ContainerSpec&) override;
  Exit wait(Call&, std::string_view name) override;
  void kill(Call&, std::string_view name, int signal) override;
  void remove(Call&, std::string_view name) override;
  std::vector<Container> list(Call&, std::string_view owner) override;

  Image importImage(Call&, const std::string& source, const std::string& reference, const ProgressSink&) override;
  std::vector<StoredImage> listImages(Call&) override;
  void removeImage(Call&, const std::string& reference) override;

 private:
  // Nothing when there is no such container, or it is not Ocelot's.
  std::optional<Found> find(Call&, std::string_view name);
  void launch(Call&, const std::string& name, const std::string& config, const ContainerSpec* spec);
  void discard(Call&, const std::string& name);
  void endProcesses(Call&, const Found&);
  void clearWorkspace(Call&, const Found&, const std::string& folder);

  std::optional<Image> findImage(Call&, const std::string& asked, const Reference& named);
  void fetch(Call&, const Reference&, const ImageRequest&, const ProgressSink&);
  std::string mirrored(const Reference&) const;
  void dropNameless(Call&, const std::string& id);
  void tag(Call&, const std::string& source, const Reference&);

  std::unique_ptr<Engine> engine_;
  std::string network_, mirror_;
};

}  // namespace ocelot::docker
