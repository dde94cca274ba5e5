#pragma once
// What a secret may be called, and how long it may be: the same whatever keeps it.

#include <cstddef>
#include <string>

namespace ocelot::secrets {

constexpr std::size_t kLongestValue = 64 * 1024;

// Throws std::invalid_argument unless it is parts of letters, digits, '.', '_' and '-', joined by '/'.
void requireName(const std::string& name);
// Throws std::invalid_argument for a value that is too long; the message tells its size alone.
void requireFitting(const std::string& name, const std::string& value);

}  // namespace ocelot::secrets
