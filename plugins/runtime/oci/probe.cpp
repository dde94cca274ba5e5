// The part of Oci that finds out whether containers can run here.

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "oci.hpp"
#include "tool.hpp"

namespace ocelot::oci {

std::string Oci::overlayFailure(Call& call) {
  const Staging staging(store_.makeStaging());
  const std::string base = staging.path().substr(store_.folder().size() + 1);
  for (const char* name : {"/lower", "/upper", "/work", "/merged"}) makeFolder(staging.path() + name);
  Overlay overlay;
  overlay.folder = store_.folder();
  overlay.layers = {base + "/lower"};
  overlay.upper = base + "/upper";
  overlay.work = base + "/work";
  overlay.target = staging.path() + "/merged";
  return Engine::tryOverlay(call, overlay);
}

// Storage of containers whose state is gone: the machine was restarted, and the state lies in memory.
void Oci::sweepStorage(Call& call) {
  const Fd lock = tryLockFile(store_.folder() + "/lock", LockKind::exclusive);
  if (!lock) return;
  for (const std::string& name : namesIn(store_.folder() + "/containers")) {
    call.check("removing what a restart left behind");
    // Its first line names the record; the rest are layers.
    const std::string note = readFileIfPresent(storageFolder(name) + "/layers", 1u << 20).value_or("");
    const std::string record = note.substr(0, note.find('\n'));
    if (!record.empty() && record.front() == '/' && !present(record)) removeTree(storageFolder(name));
  }
}

RuntimeFacts Oci::probe(Call& call) {
  RuntimeFacts facts;
  const auto feature = [&](const char* name, const std::string& value) { facts.features.emplace_back(name, value); };
  const CgroupLayout layout = cgroupLayout();
  feature("rootless", rootless_ ? "yes" : "no");
  feature("cgroup", nameOf(layout));
  feature("store", store_.folder());
  feature("state", state_);
  feature("limits", rootless_ || layout == CgroupLayout::none ? "no" : "memory, cpu, pids");
  feature("limits.disk", "no");
  const std::string bridge = network_.whyNot();
  feature("network.bridge", bridge.empty() ? "yes" : "no: " + bridge);
  feature("network.none", "yes");
  feature("network.host", "yes");
  feature("images.fetch", findProgram("skopeo").empty() ? "no: apt install skopeo" : "yes");
  if (bridge.empty() && Network::resolvConf().empty())
    feature("network.dns",
            "no: the only name servers of this machine are on its loopback, where containers do not reach");
  try {
    if (!engine_.why().empty()) throw Error(Status::unavailable, engine_.why());
    facts.engine = engine_.version(call);
    if (layout == CgroupLayout::hybrid && engine_.isCrun())
      feature("cgroup.hybrid", "crun starts in a mount namespace without /sys/fs/cgroup/unified");
    if (layout == CgroupLayout::none && !rootless_)
      throw Error(
          Status::unavailable,
          "no control groups are mounted at /sys/fs/cgroup; mount them (the package cgroupfs-mount, or systemd)");
    open();
    sweepStorage(call);
    for (const std::string& place : {state_, store_.folder()}) {
      struct statvfs status {};
      if (::statvfs(place.c_str(), &status) == 0 && (status.f_flag & ST_NOEXEC) && place != state_)
        throw Error(Status::unavailable,
                    place + " is mounted noexec, and containers run programs from it; move the option `store`");
    }
    const std::string why = overlayFailure(call);
    if (!why.empty()) throw Error(Status::unavailable, why);
    feature("rootfs", "overlay");
    facts.usable = true;
  } catch (const Error& e) {
    facts.why_not = e.what();
  }
  return facts;
}

}  // namespace ocelot::oci
