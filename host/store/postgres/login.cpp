#include "host/store/postgres/login.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <sstream>
#include <stdexcept>

#include "host/store/store.hpp"

namespace ocelot::store {
namespace {

// A line of a password file for any server: ':' and '\' are escaped, a line end cannot be.
std::string passwordLine(const std::string& password) {
  if (password.find_first_of(std::string("\r\n\0", 3)) != std::string::npos)
    throw std::invalid_argument(
        "read store.password: it holds a line end or a NUL, which PostgreSQL's password files cannot");
  std::string line = "*:*:*:*:";
  for (const char c : password) {
    if (c == ':' || c == '\\') line += '\\';
    line += c;
  }
  return line + "\n";
}

int passwordFile(const std::string& line) {
  const int fd = ::memfd_create("ocelot-pgpass", MFD_CLOEXEC);
  if (fd < 0) throw Unavailable(std::string("keep the store's password: ") + std::strerror(errno));
  // libpq reads only files that nobody else may read.
  if (::fchmod(fd, 0600) != 0 || ::write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    ::close(fd);
    throw Unavailable("keep the store's password: the file in memory could not be written");
  }
  return fd;
}

std::map<std::string, std::string> optionsOf(const std::string& dsn) {
  if (dsn.find("://") != std::string::npos)
    throw std::invalid_argument(
        "read store.dsn: URLs are not understood; write \"host=db.example.org port=5432 dbname=ocelot user=ocelot\"");
  std::map<std::string, std::string> options;
  std::istringstream words(dsn);
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      throw std::invalid_argument("read store.dsn: \"" + word +
                                  "\" is not of the form name=value (values hold no blanks)");
    options[word.substr(0, equals)] = word.substr(equals + 1);
  }
  if (options.count("password") != 0)
    throw std::invalid_argument("read store.dsn: it holds a password; put that into store.password (!secret NAME)");
  return options;
}

}  // namespace

void PostgresLogin::requireNoUser(const std::string& dsn) {
  if (const auto options = optionsOf(dsn); options.count("user") != 0)
    throw std::invalid_argument("read store.dsn: it names the user " + options.at("user") +
                                ", and store.vault_role has Vault make one; take user= out");
}

PostgresLogin::PostgresLogin(const std::string& dsn, const std::string& password) { make(dsn, "", password); }

PostgresLogin::PostgresLogin(const std::string& dsn, std::shared_ptr<const Account> account)
    : account_(std::move(account)) {
  if (account_->user.find_first_of(std::string(" \t\r\n'\\\0", 7)) != std::string::npos)
    throw Unavailable("use the account that Vault made: its name holds blanks or quotes; mend the username_template");
  make(dsn, account_->user, account_->password);
}

void PostgresLogin::make(const std::string& dsn, const std::string& user, const std::string& password) {
  auto options = optionsOf(dsn);
  if (!user.empty()) options["user"] = user;
  shown_ = (options.count("dbname") != 0 ? options["dbname"] : "the default database") + " at " +
           (options.count("host") != 0 ? options["host"] : "the local socket");

  // A server that vanished without a word is noticed within about half a minute.
  options.insert({{"connect_timeout", "5"},
                  {"keepalives_idle", "15"},
                  {"keepalives_interval", "5"},
                  {"keepalives_count", "3"},
                  {"tcp_user_timeout", "15000"},
                  {"client_encoding", "UTF8"},
                  {"application_name", "ocelot"}});
  if (!password.empty()) {
    password_file_ = passwordFile(passwordLine(password));
    options["passfile"] = "/proc/self/fd/" + std::to_string(password_file_);
  }
  for (const auto& [name, value] : options)
    connection_string_ += (connection_string_.empty() ? "" : " ") + name + "=" + value;
}

// The server's number of the error is not to be had while connecting. A server that speaks another language is waited
// for, and its sentence shown.
void throwNotConnected(const PostgresLogin& login, const std::string& sentence) {
  const std::string what = "connect to PostgreSQL, " + login.shown() + ": " + sentence;
  for (const char* refusal :
       {"password authentication failed", "authentication failed for user", "no password supplied",
        "no pg_hba.conf entry", "pg_hba.conf rejects", "is not permitted to log in", "permission denied for database",
        "certificate verify failed", "server certificate for", "server does not support SSL",
        "invalid connection option", "root certificate file", "could not load"})
    if (sentence.find(refusal) != std::string::npos) throw Refused(what);
  const bool missing = sentence.find("FATAL:  role \"") != std::string::npos ||
                       sentence.find("FATAL:  database \"") != std::string::npos || sentence.starts_with("role \"") ||
                       sentence.starts_with("database \"");
  if (missing && sentence.ends_with("does not exist")) throw Refused(what);
  throw Unavailable(what);
}

PostgresLogin::~PostgresLogin() {
  if (password_file_ >= 0) ::close(password_file_);
}

}  // namespace ocelot::store
