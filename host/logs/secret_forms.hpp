#pragma once
// The shapes in which a secret may turn up in a log.

#include <string>
#include <string_view>
#include <vector>

namespace ocelot::logs {

// Why a secret cannot be masked without making a log unreadable, as a sentence that does not show it; "" when it can.
std::string whyNotMaskable(std::string_view secret);

// Every form, each of at least kMinSecretBytes, without duplicates. Deterministic.
std::vector<std::string> secretForms(std::string_view secret);
// The secret as it is, whole and line by line: what is left when it is too large for all its forms.
std::vector<std::string> plainForms(std::string_view secret);

}  // namespace ocelot::logs
