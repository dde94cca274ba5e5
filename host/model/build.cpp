#include "host/model/build.hpp"

#include <sys/random.h>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace ocelot::model {
namespace {

template <typename Enum, std::size_t N>
using Names = std::array<std::pair<Enum, std::string_view>, N>;

constexpr Names<BuildState, 8> kBuildStates{{{BuildState::queued, "queued"},
                                             {BuildState::running, "running"},
                                             {BuildState::passed, "passed"},
                                             {BuildState::failed, "failed"},
                                             {BuildState::timed_out, "timed_out"},
                                             {BuildState::canceled, "canceled"},
                                             {BuildState::error, "error"},
                                             {BuildState::rejected, "rejected"}}};
constexpr Names<StageState, 7> kStageStates{{{StageState::pending, "pending"},
                                             {StageState::running, "running"},
                                             {StageState::passed, "passed"},
                                             {StageState::failed, "failed"},
                                             {StageState::timed_out, "timed_out"},
                                             {StageState::canceled, "canceled"},
                                             {StageState::skipped, "skipped"}}};
constexpr Names<Trigger, 7> kTriggers{{{Trigger::push, "push"},
                                       {Trigger::pull_request, "pull_request"},
                                       {Trigger::tag, "tag"},
                                       {Trigger::manual, "manual"},
                                       {Trigger::poll, "poll"},
                                       {Trigger::schedule, "schedule"},
                                       {Trigger::rerun, "rerun"}}};

template <typename Table, typename Enum>
std::string_view nameOf(const Table& table, Enum value) {
  for (const auto& [key, name] : table)
    if (key == value) return name;
  throw std::logic_error("a value without a name");
}

template <typename Enum, typename Table>
std::optional<Enum> valueOf(const Table& table, std::string_view text) {
  for (const auto& [key, name] : table)
    if (name == text) return key;
  return std::nullopt;
}

std::array<unsigned char, 16> randomBytes() {
  std::array<unsigned char, 16> bytes{};
  // 16 bytes are never cut short by a signal: getrandom(2) promises it up to 256.
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  return bytes;
}

std::string hex(const unsigned char* bytes, std::size_t count) {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(count * 2);
  for (std::size_t i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

}  // namespace

std::string_view toString(BuildState state) { return nameOf(kBuildStates, state); }
std::string_view toString(StageState state) { return nameOf(kStageStates, state); }
std::string_view toString(Trigger trigger) { return nameOf(kTriggers, trigger); }
std::optional<BuildState> buildStateFrom(std::string_view text) { return valueOf<BuildState>(kBuildStates, text); }
std::optional<StageState> stageStateFrom(std::string_view text) { return valueOf<StageState>(kStageStates, text); }
std::optional<Trigger> triggerFrom(std::string_view text) { return valueOf<Trigger>(kTriggers, text); }
bool isFinal(BuildState state) { return state != BuildState::queued && state != BuildState::running; }

std::string newUuid() {
  auto bytes = randomBytes();
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  const unsigned char* at = bytes.data();
  return hex(at, 4) + "-" + hex(at + 4, 2) + "-" + hex(at + 6, 2) + "-" + hex(at + 8, 2) + "-" + hex(at + 10, 6);
}

std::string newClaimId() { return hex(randomBytes().data(), 16); }

}  // namespace ocelot::model
