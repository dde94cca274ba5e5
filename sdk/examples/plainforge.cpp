// A complete VCS plugin: a forge that answers in plain text. It shows settings, HTTP and signatures lent by the host,
// and outcomes. What the forge is asked:
//
//   GET /repos/NAME                    → the clone URL
//   GET /repos/NAME/branches           → lines "BRANCH COMMIT"
//   GET /repos/NAME/commits/REVISION   → the full commit id
//   GET /repos/NAME/files/COMMIT/PATH  → the file
//
// Its webhook's body is "REPO BRANCH COMMIT", signed by HMAC-SHA256 in hex in the header x-plainforge-signature.

#include <ocelot/plugin.hpp>
#include <ocelot/vcs.hpp>
#include <sstream>

namespace {

std::string hex(const std::string& bytes) {
  static const char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    out += kDigits[(static_cast<unsigned char>(byte) >> 4) & 15];
    out += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return out;
}

// Names and paths become part of a URL: nothing that would leave their place in it.
std::string checked(std::string_view part) {
  for (const char c : part)
    if (c <= ' ' || c == '?' || c == '#' || c == '%' || c == '\\' || c == 127)
      throw ocelot::Error(ocelot::Status::invalid, "plainforge: a name with characters that no URL holds");
  if (part.empty() || part.find("..") != std::string_view::npos)
    throw ocelot::Error(ocelot::Status::invalid, "plainforge: \"" + std::string(part) + "\" is no name");
  return std::string(part);
}

class Plainforge final : public ocelot::Vcs {
 public:
  explicit Plainforge(const ocelot::Settings& settings)
      : host_(settings.host()), url_(settings.text("url")), secret_(settings.text("secret")) {
    if (secret_.size() < 8) throw ocelot::Error(ocelot::Status::invalid, "secret: at least 8 characters");
  }

  void verifyHook(ocelot::Call&, const ocelot::Hook& hook) override {
    const std::string expected = hex(host_.crypto().hmacSha256(secret_, hook.body));
    for (const auto& [name, value] : hook.headers)
      if (name == "x-plainforge-signature" && host_.crypto().equal(value, expected)) return;
    throw ocelot::Error(ocelot::Status::unauthenticated, "plainforge: the hook's signature does not hold");
  }

  std::vector<ocelot::Change> parseHook(ocelot::Call& call, const ocelot::Hook& hook) override {
    std::istringstream words(hook.body);
    ocelot::Change change;
    if (!(words >> change.repo.name >> change.branch >> change.commit))
      throw ocelot::Error(ocelot::Status::invalid, "plainforge: a hook that is not \"REPO BRANCH COMMIT\"");
    if (change.branch == "-") throw ocelot::Error(ocelot::Status::ignored, "plainforge: a branch was removed");
    change.repo = identify(call, change.repo.name);
    change.files_complete = false;
    return {change};
  }

  ocelot::Repo identify(ocelot::Call& call, std::string_view name) override {
    return {std::string(name), firstWord(get(call, "/repos/" + checked(name)))};
  }

  std::vector<ocelot::Head> heads(ocelot::Call& call, const ocelot::Repo& repo) override {
    std::istringstream lines(get(call, "/repos/" + checked(repo.name) + "/branches"));
    std::vector<ocelot::Head> all;
    for (ocelot::Head head; lines >> head.branch >> head.commit;) all.push_back(head);
    return all;
  }

  std::string resolve(ocelot::Call& call, const ocelot::Repo& repo, std::string_view revision) override {
    return firstWord(get(call, "/repos/" + checked(repo.name) + "/commits/" + checked(revision)));
  }

  std::string readFile(ocelot::Call& call, const ocelot::Commit& commit, std::string_view path,
                       std::uint64_t max_bytes) override {
    return get(call, "/repos/" + checked(commit.repo.name) + "/files/" + checked(commit.id) + "/" + checked(path),
               max_bytes);
  }

  ocelot::Change changes(ocelot::Call&, const ocelot::Commit& commit, std::string_view before) override {
    ocelot::Change change;
    change.repo = commit.repo;
    change.commit = commit.id;
    change.before = before;
    change.files_complete = false;  // plainforge cannot tell, so path triggers must fire
    return change;
  }

  ocelot::CloneAccess clone(ocelot::Call&, const ocelot::Repo& repo) override {
    ocelot::CloneAccess access;
    access.url = repo.url;
    return access;
  }

 private:
  std::string get(ocelot::Call& call, const std::string& path, std::uint64_t max_bytes = 1u << 20) {
    ocelot::HttpRequest request;
    request.url = url_ + path;
    request.max_answer_bytes = max_bytes;
    const ocelot::HttpAnswer answer = host_.http().send(call, request);
    if (answer.status == 200) return answer.body;
    const auto status = answer.status == 401                           ? ocelot::Status::unauthenticated
                        : answer.status == 404                         ? ocelot::Status::not_found
                        : answer.status == 429 || answer.status >= 500 ? ocelot::Status::unavailable
                                                                       : ocelot::Status::invalid;
    throw ocelot::Error(status, "plainforge: GET " + request.url + ": " + std::to_string(answer.status));
  }

  static std::string firstWord(const std::string& text) { return text.substr(0, text.find_first_of(" \r\n")); }

  ocelot::Host& host_;
  std::string url_, secret_;
};

const ocelot_option kOptions[] = {
    {"url", OCELOT_URL, OCELOT_REQUIRED, nullptr, "where the forge answers"},
    {"secret", OCELOT_TEXT, OCELOT_REQUIRED | OCELOT_SECRET, nullptr, "shared with the webhook, at least 8 characters"},
    {}};

}  // namespace

OCELOT_VCS_PLUGIN(Plainforge, "org.ocelot.example.plainforge", "1.0.0", "A forge that answers in plain text", kOptions)
