#pragma once
// Which of the server's repositories the checkout around us is.

#include <string>

#include "components/cli/checkout.hpp"
#include "components/cli/server.hpp"

namespace ocelot::cli {

// Its name; "" when the server does not know it.
std::string repoHere(Server& server, const Checkout& here);
// The same, adding it when it is not known; says so.
std::string repoHereOrAdd(Server& server, const Checkout& here);

// The name that was given, or the checkout around us. Throws Usage when there is neither.
std::string chosenRepo(Server& server, const std::string& given);
// Of the REST API.
std::string repoPath(const std::string& repo);

}  // namespace ocelot::cli
