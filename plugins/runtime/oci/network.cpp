#include "network.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <sstream>
#include <thread>

#include "digest.hpp"

namespace ocelot::oci {
namespace {

constexpr int kRulesHold = 60;  // seconds for which nobody is expected to flush the firewall unseen

std::uint32_t maskOf(int bits) { return bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits); }

int uplinkMtu() {
  for (const Route& route : parseRoutes(readFileIfPresent("/proc/net/route", 1u << 20).value_or("")))
    if (route.mask == 0) {
      const auto text = readFileIfPresent("/sys/class/net/" + route.interface + "/mtu", 64);
      if (text) return std::max(0, std::atoi(text->c_str()));
    }
  return 0;
}

void raiseLoopback() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
}

// A bridge without an address of its own takes that of a port, and zeros when the last port goes: the CNI plugin fails
// when it meets it just then. Ours is told its address before anything is attached.
void makeBridge(const std::string& name) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::ioctl(socket.get(), SIOCBRADDBR, name.c_str()) != 0 && errno != EEXIST)
    failSystem("bridge network: make the bridge " + name, errno);
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  const std::string digest = hexOf(digestOf(name));
  request.ifr_hwaddr.sa_data[0] = 2;  // locally administered
  for (std::size_t i = 1; i < 6; ++i) request.ifr_hwaddr.sa_data[i] = digest[i];
  if (::ioctl(socket.get(), SIOCSIFHWADDR, &request) != 0)
    failSystem("bridge network: give the bridge " + name + " an address", errno);
}

// Alive as long as the descriptor or a process in it; its loopback is up.
Fd makeNamespace() {
  Fd fd;
  int error = 0;
  // A thread of its own: whoever calls stays where he is.
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      error = errno;
      return;
    }
    raiseLoopback();
    fd.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (!fd) error = errno;
  }).join();
  if (!fd) failSystem("make a network namespace", error);
  return fd;
}

}  // namespace

std::string addressText(std::uint32_t address) {
  in_addr raw{htonl(address)};
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &raw, text, sizeof text) ? text : "";
}

std::string Subnet::text() const { return addressText(base) + "/" + std::to_string(bits); }

Subnet parseSubnet(const std::string& text) {
  const auto slash = text.find('/');
  in_addr address{};
  const std::string bits = slash == std::string::npos ? "" : text.substr(slash + 1);
  const bool digits = !bits.empty() && bits.size() <= 2 && bits.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || ::inet_pton(AF_INET, text.substr(0, slash).c_str(), &address) != 1)
    throw Error(Status::invalid, "subnet: \"" + text + "\" is not of the form 10.89.0.0/24");
  Subnet subnet{ntohl(address.s_addr), std::atoi(bits.c_str())};
  if (subnet.bits < 8 || subnet.bits > 29)
    throw Error(Status::invalid, "subnet: \"" + text + "\": /8 to /29 are possible");
  if (subnet.base & ~maskOf(subnet.bits))
    throw Error(Status::invalid, "subnet: \"" + text + "\" has host bits set; did you mean " +
                                     addressText(subnet.base & maskOf(subnet.bits)) + "/" + bits + "?");
  return subnet;
}

std::vector<Route> parseRoutes(const std::string& text) {
  std::vector<Route> routes;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);  // headings
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string interface, gateway, flags, count, use, metric;
    std::uint32_t destination = 0, mask = 0;
    fields >> interface >> std::hex >> destination >> gateway >> flags >> count >> use >> metric >> mask;
    if (fields) routes.push_back({ntohl(destination), ntohl(mask), interface});
  }
  return routes;
}

Subnet freeSubnet(const std::vector<Route>& routes) {
  for (std::uint32_t third = 0; third < 256; ++third) {
    const Subnet subnet{(10u << 24) | (89u << 16) | (third << 8), 24};
    bool taken = false;
    for (const Route& route : routes) {
      if (route.mask == 0) continue;
      const std::uint32_t common = route.mask & maskOf(subnet.bits);
      taken = taken || (route.base & common) == (subnet.base & common);
    }
    if (!taken) return subnet;
  }
  throw Error(Status::unavailable, "bridge network: every subnet of 10.89.0.0/16 is routed elsewhere; set `subnet`");
}

std::string usableResolvers(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  bool any = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key, value;
    words >> key >> value;
    if (key == "nameserver") {
      if (value.rfind("127.", 0) == 0 || value == "::1" || value == "0.0.0.0") continue;
      any = true;
    } else if (key != "search" && key != "domain" && key != "options") {
      continue;
    }
    out += line + "\n";
  }
  return any ? out : "";
}

std::string Network::resolvConf() {
  // systemd-resolved writes what it asks itself beside the stub that it tells programs.
  for (const char* path :
       {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf"}) {
    const auto text = readFileIfPresent(path, 1u << 20);
    if (!text) continue;
    const std::string usable = usableResolvers(*text);
    if (!usable.empty()) return usable;
  }
  return "";
}

Network::Network(std::string state_folder, std::string subnet, std::vector<std::string> plugins)
    : folder_(std::move(state_folder) + "/network"),
      wanted_subnet_(std::move(subnet)),
      iptables_(findProgram("iptables")) {
  if (!wanted_subnet_.empty()) parseSubnet(wanted_subnet_);
  for (const std::string& folder : plugins) {
    plugin_path_ += (plugin_path_.empty() ? "" : ":") + folder;
    if (bridge_plugin_.empty() && ::access((folder + "/bridge").c_str(), X_OK) == 0 &&
        ::access((folder + "/static").c_str(), X_OK) == 0)
      bridge_plugin_ = folder + "/bridge";
  }
}

std::string Network::whyNot() const {
  if (::geteuid() != 0) return "a bridge needs root; as an ordinary user, set worker.network to none or host";
  if (bridge_plugin_.empty())
    return "the CNI plugins bridge and static are not in " + plugin_path_ +
           ": apt install containernetworking-plugins, or set cni_path";
  if (iptables_.empty())
    return "iptables is not installed, and a bridge needs address translation: apt install iptables";
  return "";
}

// Bridge and subnet are chosen once per state folder and then stay, whatever routes come and go.
void Network::choose(Call& call) {
  if (!bridge_.empty()) return;
  makeFolder(folder_);
  makeFolder(folder_ + "/leases");
  const Fd lock = lockFile(call, folder_ + "/lock", LockKind::exclusive);
  const std::string note = folder_ + "/chosen";
  std::string bridge, subnet;
  std::istringstream lines(readFileIfPresent(note, 256).value_or(""));
  lines >> bridge >> subnet;
  if (bridge.empty() || subnet.empty() || (!wanted_subnet_.empty() && wanted_subnet_ != subnet)) {
    if (!bridge.empty() && !subnet.empty() && namesIn(folder_ + "/leases").empty())
      takeAway(call, bridge, parseSubnet(subnet));
    subnet = wanted_subnet_.empty()
                 ? freeSubnet(parseRoutes(readFileIfPresent("/proc/net/route", 1u << 20).value_or(""))).text()
                 : wanted_subnet_;
    // Two installations on one machine do not share a bridge.
    bridge = "oc-" + hexOf(digestOf(folder_ + subnet)).substr(0, 8);
    replaceFile(note, bridge + " " + subnet + "\n");
  }
  subnet_ = parseSubnet(subnet);
  bridge_ = bridge;
}

std::vector<Network::Rule> Network::rules(const std::string& bridge, const Subnet& subnet) {
  // Where a container engine runs, the policy of FORWARD is DROP.
  return {{"nat", {"POSTROUTING", "-s", subnet.text(), "!", "-o", bridge, "-j", "MASQUERADE"}},
          {"filter", {"FORWARD", "-i", bridge, "-j", "ACCEPT"}},
          {"filter", {"FORWARD", "-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"}}};
}

ToolResult Network::iptables(Call& call, const char* verb, const Rule& rule) const {
  std::vector<std::string> words = {"-w", "10", "-t", rule.table, verb};
  words.insert(words.end(), rule.words.begin(), rule.words.end());
  return runTool(call, {iptables_, words, toolEnvironment(), "", false, {}, {}});
}

// Under a lease: nobody takes away what this finds or makes.
void Network::prepare(Call& call) const {
  makeBridge(bridge_);
  const std::string note = folder_ + "/rules";
  struct stat status {};
  if (::stat(note.c_str(), &status) == 0 && ::time(nullptr) - status.st_mtime < kRulesHold) return;
  const Fd lock = lockFile(call, folder_ + "/lock", LockKind::exclusive);
  for (const Rule& rule : rules(bridge_, subnet_)) {
    if (iptables(call, "-C", rule).ok()) continue;
    const ToolResult result = iptables(call, "-I", rule);
    if (!result.ok()) throw Error(Status::unavailable, "bridge network: iptables: " + lastWords(result));
  }
  replaceFile(note, "");
}

std::uint32_t Network::lease(Call& call, const std::string& container) const {
  // Whoever takes the bridge away holds the lock alone: he has seen this lease, or is done before it is there.
  const Fd lock = lockFile(call, folder_ + "/lock", LockKind::shared);
  // In turn, so that an address is not used again while the last one's interface is still going away.
  const std::string last_file = folder_ + "/last";
  const std::uint32_t last =
      static_cast<std::uint32_t>(std::strtoul(readFileIfPresent(last_file, 32).value_or("1").c_str(), nullptr, 10));
  const std::uint32_t hosts = subnet_.size() - 3;  // without network, gateway and broadcast
  for (std::uint32_t step = 0; step < hosts; ++step) {
    const std::uint32_t host = 2 + (last - 1 + step) % hosts;
    const std::string path = folder_ + "/leases/" + std::to_string(host);
    // A link that leads nowhere: there with its content, or not at all.
    if (::symlink(container.c_str(), path.c_str()) != 0) {
      if (errno == EEXIST) continue;
      failSystem("write " + path, errno);
    }
    replaceFile(last_file, std::to_string(host));
    return subnet_.base + host;
  }
  throw Error(Status::unavailable,
              "bridge network: every address of " + subnet_.text() + " is in use; set a larger `subnet`");
}

Network::Attached Network::attach(Call& call, const std::string& container) {
  if (const std::string why = whyNot(); !why.empty()) throw Error(Status::unsupported, "bridge network: " + why);
  choose(call);
  const std::string address = addressText(lease(call, container));
  prepare(call);
  Fd made = makeNamespace();
  Poco::JSON::Object entry, route, ipam, config;
  entry.set("address", address + "/" + std::to_string(subnet_.bits));
  entry.set("gateway", addressText(subnet_.base + 1));
  route.set("dst", "0.0.0.0/0");
  Poco::JSON::Array addresses, routes;
  addresses.add(entry);
  routes.add(route);
  ipam.set("type", "static");
  ipam.set("addresses", addresses);
  ipam.set("routes", routes);
  config.set("cniVersion", "0.4.0");
  config.set("name", bridge_);
  config.set("type", "bridge");
  config.set("bridge", bridge_);
  config.set("isGateway", true);
  if (const int mtu = uplinkMtu()) config.set("mtu", mtu);
  config.set("ipam", ipam);
  std::ostringstream text;
  config.stringify(text);

  Tool tool;
  tool.program = bridge_plugin_;
  tool.environment = toolEnvironment();
  tool.environment["CNI_COMMAND"] = "ADD";
  tool.environment["CNI_CONTAINERID"] = container;
  tool.environment["CNI_NETNS"] = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(made.get());
  tool.environment["CNI_IFNAME"] = "eth0";
  tool.environment["CNI_PATH"] = plugin_path_;
  tool.input = text.str();
  const ToolResult result = runTool(call, tool);
  if (!result.ok()) throw Error(Status::unavailable, "bridge network: " + bridge_plugin_ + ": " + lastWords(result));
  try {
    Poco::JSON::Parser parser;
    const auto answer = parser.parse(result.out).extract<Poco::JSON::Object::Ptr>();
    const auto interfaces = answer->getArray("interfaces");
    for (std::size_t i = 0; interfaces && i < interfaces->size(); ++i) {
      const auto interface = interfaces->getObject(static_cast<unsigned>(i));
      const std::string name = interface->getValue<std::string>("name");
      if (interface->has("sandbox") || name == bridge_ || name.find('/') != std::string::npos) continue;
      // Builds do not see each other: isolated ports of a bridge speak with the host and the outside only.
      const Fd file(::open(("/sys/class/net/" + name + "/brport/isolated").c_str(), O_WRONLY | O_CLOEXEC));
      if (!file || ::write(file.get(), "1", 1) != 1) failSystem("bridge network: isolate " + name, errno);
    }
  } catch (const Poco::Exception& e) {
    throw Error(Status::unavailable, "bridge network: the answer of " + bridge_plugin_ + ": " + e.displayText());
  }
  return {address, std::move(made)};
}

void Network::detach(const std::string& container) const {
  for (const std::string& host : namesIn(folder_ + "/leases")) {
    const std::string path = folder_ + "/leases/" + host;
    char holder[256];
    const ssize_t size = ::readlink(path.c_str(), holder, sizeof holder);
    if (size > 0 && std::string_view(holder, static_cast<std::size_t>(size)) == container) ::unlink(path.c_str());
  }
}

void Network::rest(Call& call) {
  if (!present(folder_ + "/chosen")) return;  // none of the processes that share the folder has made any
  choose(call);
  if (!present("/sys/class/net/" + bridge_) && !present(folder_ + "/rules")) return;
  // Whoever holds it is about to use the bridge, or to take it away.
  const Fd lock = tryLockFile(folder_ + "/lock", LockKind::exclusive);
  if (lock && namesIn(folder_ + "/leases").empty()) takeAway(call, bridge_, subnet_);
}

// Under the lock, alone, and without a lease.
void Network::takeAway(Call& call, const std::string& bridge, const Subnet& subnet) const {
  // This first and the bridge last: should it be killed midway, whoever makes the bridge asks for each rule, and
  // whoever takes it away finds it.
  ::unlink((folder_ + "/rules").c_str());
  for (const Rule& rule : rules(bridge, subnet)) iptables(call, "-D", rule);
  // brctl's old call: a bridge must be down to be deleted.
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, bridge.c_str(), IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return;
  request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_UP);
  ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
  if (::ioctl(socket.get(), SIOCBRDELBR, bridge.c_str()) != 0) failSystem("delete the bridge " + bridge, errno);
}

}  // namespace ocelot::oci
