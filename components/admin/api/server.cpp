#include "components/admin/api/api.hpp"
#include "components/admin/api/json.hpp"
#include "host/plugin/catalog.hpp"
#include "host/plugin/folders_of.hpp"

namespace ocelot::admin {
namespace {

using http::Answer;
using http::JsonWriter;
using http::Request;

Answer version(Api& api, const Request& request) {
  JsonWriter out;
  out.object()
      .field("version", OCELOT_VERSION)
      .field("api", "1")
      .field("role", http::toString(request.identity.role))
      .field("token", request.identity.name)
      .field("store", api.engines.store->describe())
      .end();
  return http::json(out.text());
}

// Each is described by a child process: a broken one is shown, and hurts nobody.
Answer plugins(Api& api) {
  const plugin::Catalog catalog(plugin::foldersOf(api.config));
  JsonWriter out;
  out.object().key("plugins").array();
  for (const auto& found : catalog.list()) {
    out.object().field("kind", plugin::nameOf(found.kind)).field("name", found.name).field("path", found.path);
    try {
      SimpleCall call(std::chrono::milliseconds(10000));
      const auto description = catalog.describe(call, found.path);
      out.field("id", description.id).field("version", description.version).field("summary", description.summary);
    } catch (const Error& error) {
      out.field("problem", std::string_view(error.what()));
    }
    out.end();
  }
  out.end().end();
  return http::json(out.text());
}

}  // namespace

void addServerRoutes(http::Routes& routes, Api& api) {
  using http::Role;
  routes.get("/v1/version", Role::viewer, with(api, version));
  routes.get("/v1/plugins", Role::viewer, [&api](const Request&) { return plugins(api); });
}

}  // namespace ocelot::admin
