#include "components/cli/join/bundle.hpp"

#include <optional>

#include "components/cli/command.hpp"
#include "components/cli/join/carried.hpp"
#include "host/http/json.hpp"
#include "host/http/json_view.hpp"

namespace ocelot::cli {
namespace {

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMostSettings = 1 << 20;  // what a server.yaml may have
constexpr std::size_t kMostFiles = 100;
constexpr std::size_t kLine = 76;

[[noreturn]] void notOurs(const std::string& why) {
  throw Failure("read what `ocelot workers add` printed: " + why,
                "make it anew, and paste the whole of it, to the line OCELOT");
}

}  // namespace

std::string pack(const Bundle& bundle) {
  http::JsonWriter out;
  out.object().field("format", kFormat).field("version", bundle.version).field("settings", bundle.settings);
  out.key("files").object();
  for (const auto& [name, bytes] : bundle.files) out.field(name, http::base64(bytes));
  out.end().end();
  return out.text();
}

Bundle unpack(std::string_view text) {
  if (text.empty()) notOurs("there is nothing");
  if (text.size() > kMostBundleBytes) notOurs("it is longer than 4 MiB");
  const auto json = http::JsonView::parse(text);
  if (!json || !json->isObject()) notOurs("it is not whole, or something else");
  const auto format = (*json)["format"].number();
  if (!format) notOurs("it does not say its format");
  Bundle bundle;
  bundle.version = (*json)["version"].text().value_or("");
  if (bundle.version.empty() || bundle.version.size() > 100) notOurs("it does not say which ocelot made it");
  if (*format != kFormat)
    throw Failure("the command was made by ocelot " + bundle.version + ", in a form (" + std::to_string(*format) +
                      ") that this one, " OCELOT_VERSION ", does not know",
                  "install ocelot " + bundle.version + " on this machine");
  const auto settings = (*json)["settings"].text();
  if (!settings || settings->size() > kMostSettings) notOurs("its settings are missing or too long");
  bundle.settings = *settings;
  const auto files = (*json)["files"];
  if (!files.isObject() || files.keys().size() > kMostFiles) notOurs("its files are missing or too many");
  for (const std::string& name : files.keys()) {
    const auto bytes = http::fromBase64(files[name].text().value_or("?"));
    // A name becomes a path, written as root.
    if (!carriedAs(name)) notOurs("it holds a file with a name that none of ours has");
    if (!bytes || bytes->size() > kMostFileBytes) notOurs("its file " + name + " is damaged or too long");
    bundle.files[name] = *bytes;
  }
  return bundle;
}

std::string pasteable(const Bundle& bundle) {
  const std::string lines = http::base64(pack(bundle));
  // The blank in front keeps it out of the history of a shell that has HISTCONTROL=ignorespace. Without sudo for root,
  // who may not have it.
  std::string out = " base64 -d <<'OCELOT' | $([ \"$(id -u)\" = 0 ] || echo sudo) ocelot workers join\n";
  for (std::size_t at = 0; at < lines.size(); at += kLine) out += lines.substr(at, kLine) + "\n";
  return out + "OCELOT\n";
}

}  // namespace ocelot::cli
