#pragma once
// The working copy around us as something to build.

#include <string>
#include <vector>

#include "host/model/build.hpp"
#include "host/pipeline/pipeline.hpp"

namespace ocelot::cli {

struct WorkingCopy {
  std::string folder;
  std::string file;  // "ocelot.yml"
  bool dirty = false;
  model::Build build;  // id, repo, branch, commit, author, message, pipeline, change
  pipeline::Pipeline pipeline;
};

// Of the git checkout around us, or of the current folder when there is none. With `stages` of those alone, in the
// order of the file. Throws Failure: no ocelot.yml, one with mistakes (each told), no such stage.
WorkingCopy workingCopy(const std::vector<std::string>& stages);

// The same pipeline with no other stages than these, by index; every stage keeps its line.
std::string onlyStages(const std::string& yml, const std::vector<std::size_t>& indexes);

}  // namespace ocelot::cli
