#include "components/admin/keep.hpp"

#include <algorithm>

#include "host/pipeline/pipeline.hpp"

namespace ocelot::admin {
namespace {

constexpr int kLookBack = 20;  // builds of a repo among which one must be readable

std::int64_t newestOf(const std::vector<model::Build>& builds) {
  const auto own = std::find_if(builds.begin(), builds.end(), [](const model::Build& build) {
    return build.trigger != model::Trigger::pull_request && build.state != model::BuildState::rejected;
  });
  return own == builds.end() ? 0 : own->number;
}

}  // namespace

std::vector<store::RepoRetention> Keeping::wishes(store::Store& store) {
  std::vector<store::RepoRetention> all;
  std::map<std::string, Known> now;
  for (const auto& repo : store.repos()) {
    store::BuildFilter filter;
    filter.repo = repo.name;
    filter.limit = kLookBack;
    const std::int64_t newest = newestOf(store.builds(filter));
    if (newest == 0) continue;
    Known known = known_[repo.name];
    if (known.number != newest) {
      known = {newest, {repo.name}};
      const auto build = store.findBuild(std::to_string(newest));
      const auto read = pipeline::read(build ? build->pipeline : "", "ocelot.yml");
      if (read.pipeline) known.wish = {repo.name, read.pipeline->keep.days, read.pipeline->keep.builds};
    }
    if (known.wish.keep_days > 0 || known.wish.keep_builds > 0) all.push_back(known.wish);
    now.emplace(repo.name, std::move(known));
  }
  known_ = std::move(now);
  return all;
}

}  // namespace ocelot::admin
