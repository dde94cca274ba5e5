#pragma once
// The strict grammar of an image reference: [registry[:port]/]path[:tag][@digest], and nothing that a command line, a
// URL or a shell could take for something else.

#include <string>
#include <string_view>

namespace ocelot::pipeline {

// "" when the reference is well formed, else what is wrong with it: "`Debian` has upper-case letters".
std::string imageReferenceFault(std::string_view reference);

// Which registry a well-formed reference names, in lower case: "docker.io" when it names none.
std::string registryOf(std::string_view reference);

}  // namespace ocelot::pipeline
