#pragma once
// Which files go with a worker's configuration, and under which names they lie beside its server.yaml.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/config/config.hpp"

namespace ocelot::cli {

inline constexpr std::size_t kMostFileBytes = 256 << 10;

struct Carried {
  enum class As {
    path,        // the value of a key, which is a path
    dsn_option,  // that of an option of store.dsn
    variable     // named by the variable of a key that is a secret, OCELOT_STORE__PASSWORD_FILE
  };
  As as;
  std::string key;   // "secrets.key_file", "sslrootcert", "store.password"
  std::string name;  // of the file, "secret.key"
};

// The files that keys, and options of store.dsn, name.
const std::vector<Carried>& carriedFiles();

// A value that may not stand in server.yaml and is given by a variable, OCELOT_STORE__PASSWORD_FILE.
std::optional<Carried> carriedSecret(const std::string& key);

// What a file of this name is; nullopt: none that goes with a configuration.
std::optional<Carried> carriedAs(const std::string& name);

// store.dsn, "host=db dbname=ocelot", as names and values in their order; a value holds no blanks.
using Dsn = std::vector<std::pair<std::string, std::string>>;
Dsn parseDsn(const std::string& text);
std::string textOf(const Dsn& dsn);

}  // namespace ocelot::cli
