#include "host/logs/masker.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "host/logs/pattern_set.hpp"
#include "host/logs/secret_forms.hpp"

namespace ocelot::logs {

namespace {
// A node of the automaton takes 24 bytes for a byte of pattern at most: 100 MB for the worst set.
constexpr std::size_t kMaxFormBytes = 4u << 20;
// All forms of a secret are at least so many times its size: itself, hex (2), and base64 in three shifts (4). What
// cannot fit is not tried, which for a large one would take seconds.
constexpr std::size_t kLeastGrowth = 7;

std::size_t bytesOf(const std::vector<std::string>& forms) {
  std::size_t bytes = 0;
  for (const std::string& form : forms) bytes += form.size();
  return bytes;
}
}  // namespace

Masker::Masker(const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) add(secret);
}

Masker::~Masker() = default;

std::string Masker::add(std::string_view secret) {
  std::string why = whyNotMaskable(secret);
  if (why.empty()) {
    std::vector<std::string> forms;
    if (form_bytes_ + kLeastGrowth * secret.size() <= kMaxFormBytes) forms = secretForms(secret);
    if (forms.empty() || form_bytes_ + bytesOf(forms) > kMaxFormBytes) {
      forms = plainForms(secret);
      why = "it is too large (" + std::to_string(secret.size()) +
            " bytes) for all its encodings: it is masked only as it is";
      if (form_bytes_ + bytesOf(forms) > kMaxFormBytes) {
        forms.clear();
        why = "the secrets of this build are too large together to be masked";
      }
    }
    form_bytes_ += bytesOf(forms);
    stale_ = stale_ || !forms.empty();
    forms_.insert(forms_.end(), std::make_move_iterator(forms.begin()), std::make_move_iterator(forms.end()));
  }
  if (!why.empty()) warnings_.push_back(why);
  return why;
}

// Brings the automaton up to the forms, and itself to where the stream is. Every span not yet written begins in what is
// held, so that walking it again finds them all, and what the new forms add.
void Masker::prepare() {
  stale_ = false;
  patterns_ = std::make_unique<PatternSet>(forms_);
  spans_.clear();
  state_ = PatternSet::kRoot;
  walk(held_, offset_ - static_cast<std::int64_t>(held_.size()));
}

void Masker::found(std::int64_t begin, std::int64_t end) {
  while (!spans_.empty() && spans_.back().second > begin) {
    begin = std::min(begin, spans_.back().first);
    spans_.pop_back();
  }
  if (begin < masked_to_) {
    masked_to_ = end;  // goes on with the mask that was written last
  } else {
    spans_.emplace_back(begin, end);
  }
}

// Steps the automaton over `in`, which begins at stream offset `at`. Returns how many of the last bytes may still
// become part of an occurrence.
std::size_t Masker::walk(std::string_view in, std::int64_t at) {
  const PatternSet& patterns = *patterns_;
  PatternSet::State state = state_;
  std::size_t i = 0;
  while (i < in.size()) {
    if (state == PatternSet::kRoot) {
      i = patterns.skip(in, i);
      if (i == in.size()) break;
    }
    state = patterns.step(state, static_cast<unsigned char>(in[i]));
    ++i;
    if (const std::uint32_t length = patterns.matched(state); length != 0) {
      const std::int64_t end = at + static_cast<std::int64_t>(i);
      found(end - length, end);
    }
  }
  state_ = state;
  return patterns.depth(state);
}

// Writes the stream up to offset `certain`, masks included. `text` are its bytes from `text_at` on.
void Masker::release(std::int64_t certain, std::string_view text, std::int64_t text_at, std::string& out) {
  std::int64_t at = std::max(text_at, masked_to_);
  const auto plain = [&](std::int64_t to) {
    if (at < to) out.append(text.substr(static_cast<std::size_t>(at - text_at), static_cast<std::size_t>(to - at)));
  };
  // An occurrence that begins at or before `certain` can no longer be joined from the left.
  while (!spans_.empty() && spans_.front().first <= certain) {
    plain(spans_.front().first);
    out += kMask;
    at = masked_to_ = spans_.front().second;
    spans_.pop_front();
  }
  plain(certain);
}

std::string_view Masker::mask(std::string_view in, std::string& scratch) {
  if (stale_) prepare();
  const std::int64_t in_at = offset_;
  if (patterns_ == nullptr) {
    offset_ += static_cast<std::int64_t>(in.size());
    return in;
  }
  const std::size_t uncertain = walk(in, in_at);
  offset_ += static_cast<std::int64_t>(in.size());
  const std::int64_t certain = offset_ - static_cast<std::int64_t>(uncertain);
  if (held_.empty() && spans_.empty() && masked_to_ <= in_at) {
    held_.assign(in.substr(in.size() - uncertain));
    return in.substr(0, in.size() - uncertain);
  }
  scratch.clear();
  const std::int64_t held_at = in_at - static_cast<std::int64_t>(held_.size());
  if (held_.empty()) {
    release(certain, in, in_at, scratch);
    held_.assign(in.substr(in.size() - uncertain));
  } else {
    held_.append(in);
    release(certain, held_, held_at, scratch);
    held_.erase(0, held_.size() - uncertain);
  }
  return scratch;
}

void Masker::feed(std::string_view in, std::string& out) {
  std::string scratch;
  out += mask(in, scratch);
}

void Masker::flush(std::string& out) {
  if (stale_) prepare();
  release(offset_, held_, offset_ - static_cast<std::int64_t>(held_.size()), out);
  held_.clear();
  state_ = PatternSet::kRoot;
}

std::string Masker::save() const {
  const std::int64_t held_at = offset_ - static_cast<std::int64_t>(held_.size());
  return std::to_string(std::max<std::int64_t>(0, masked_to_ - held_at)) + ' ' + held_;
}

void Masker::restore(std::string_view saved) {
  std::int64_t covered = 0;
  const auto [rest, error] = std::from_chars(saved.data(), saved.data() + saved.size(), covered);
  const auto digits = static_cast<std::size_t>(rest - saved.data());
  if (error != std::errc() || digits >= saved.size() || saved[digits] != ' ' || covered < 0 ||
      covered > static_cast<std::int64_t>(saved.size() - digits - 1)) {
    throw std::invalid_argument("restore the masker: this is not what save() wrote");
  }
  held_.assign(saved.substr(digits + 1));
  offset_ = static_cast<std::int64_t>(held_.size());
  masked_to_ = covered;
  spans_.clear();
  state_ = PatternSet::kRoot;
  if (!forms_.empty()) prepare();
}

}  // namespace ocelot::logs
