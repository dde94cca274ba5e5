#include <fcntl.h>
#include <openssl/evp.h>

#include <charconv>
#include <stdexcept>

#include "host/logs/build_log.hpp"
#include "host/logs/file.hpp"
#include "host/logs/log_index.hpp"

namespace ocelot::logs {

namespace {

constexpr std::size_t kTailBytes = 16u << 10;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    if (context_ == nullptr || EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) != 1) {
      EVP_MD_CTX_free(context_);
      throw std::runtime_error("hash the log: OpenSSL has no SHA-256");
    }
  }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  std::string hex() {
    static constexpr char kDigits[] = "0123456789abcdef";
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, raw, &size);
    std::string out;
    for (unsigned i = 0; i < size; ++i) (out += kDigits[raw[i] >> 4]) += kDigits[raw[i] & 15];
    return out;
  }

 private:
  EVP_MD_CTX* context_;
};

// "64 MiB", or bytes where it is no round number.
std::string sizeText(std::int64_t bytes) {
  if (bytes >= 1 << 20 && bytes % (1 << 20) == 0) return std::to_string(bytes >> 20) + " MiB";
  if (bytes >= 1 << 10 && bytes % (1 << 10) == 0) return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes) + " bytes";
}

}  // namespace

struct LogWriter::State {
  explicit State(LogWriterSettings given)
      : settings(std::move(given)),
        log(settings.folder + "/log", O_RDWR | O_CREAT | O_APPEND),
        index(settings.folder + "/index", O_RDWR | O_CREAT | O_APPEND) {}

  LogWriterSettings settings;
  File log, index;
  Sha256 sha;
  std::vector<StageSlice> stages;
  std::int64_t size = 0;           // of the log
  std::int64_t index_size = 0;     //
  std::int64_t kept = 0;           // of the output, not counting markers and tails
  std::int64_t dropped = 0;        // of the output, for good
  std::int64_t stage_dropped = 0;  // of the running stage's output: its last kTailBytes may still be written
  std::string tail;                // the last of stage_dropped's bytes
  std::int64_t full = 0;           // 1: the limit was passed, and said so
  bool at_line_start = true;
  bool finished = false;

  bool running() const { return !stages.empty() && stages.back().end < 0; }

  void write(std::string_view bytes) {
    if (bytes.empty()) return;
    log.append(bytes);
    sha.add(bytes);
    size += static_cast<std::int64_t>(bytes.size());
    at_line_start = bytes.back() == '\n';
  }

  void writeLine(const std::string& text) { write((at_line_start ? "[ocelot: " : "\n[ocelot: ") + text + "]\n"); }

  void record(const std::string& line) {
    index.append(line);
    index_size += static_cast<std::int64_t>(line.size());
  }

  void drop(std::string_view bytes) {
    if (full == 0) {
      full = 1;
      writeLine("log limit of " + sizeText(settings.limit_bytes) + " reached; from here on only the last " +
                sizeText(kTailBytes) + " of each stage are kept");
    }
    stage_dropped += static_cast<std::int64_t>(bytes.size());
    if (bytes.size() >= kTailBytes) {
      tail.assign(bytes.substr(bytes.size() - kTailBytes));
      return;
    }
    tail.append(bytes);
    // Cut back now and then, not for every few bytes.
    if (tail.size() > 4 * kTailBytes) tail.erase(0, tail.size() - kTailBytes);
  }

  // Says what the running stage lost, and writes its last bytes, from a line's beginning where there is one.
  void settle() {
    if (stage_dropped == 0) return;
    if (tail.size() > kTailBytes) tail.erase(0, tail.size() - kTailBytes);
    std::int64_t missing = stage_dropped - static_cast<std::int64_t>(tail.size());
    if (missing > 0) {
      const std::size_t newline = tail.find('\n');
      if (newline != std::string::npos && newline + 1 < tail.size()) {
        tail.erase(0, newline + 1);
        missing = stage_dropped - static_cast<std::int64_t>(tail.size());
      }
      writeLine("log limit of " + sizeText(settings.limit_bytes) + " reached; " + std::to_string(missing) +
                " more bytes were not kept");
    }
    write(tail);
    dropped += missing;
    stage_dropped = 0;
    tail.clear();
  }

  void checkOpen() const {
    if (finished) throw std::logic_error("append to " + log.path() + ": the log was finished before");
  }

  void begin() {
    log.truncate(0);
    index.truncate(0);
  }

  // The numbers of save(), in their order.
  std::vector<std::int64_t*> numbers() { return {&size, &index_size, &kept, &dropped, &stage_dropped, &full}; }

  void resume(std::string_view saved) {
    for (std::int64_t* const number : numbers()) {
      const auto [rest, error] = std::from_chars(saved.data(), saved.data() + saved.size(), *number);
      const auto used = static_cast<std::size_t>(rest - saved.data());
      if (error != std::errc() || *number < 0 || used == saved.size() || saved[used] != ' ') {
        throw std::runtime_error("go on with " + log.path() + ": the saved position makes no sense");
      }
      saved.remove_prefix(used + 1);
    }
    tail = saved;
    if (log.size() < size || index.size() < index_size) {
      throw std::runtime_error("go on with " + log.path() + ": it has " + std::to_string(log.size()) +
                               " bytes, fewer than the " + std::to_string(size) + " that were written");
    }
    log.truncate(size);
    index.truncate(index_size);
    const LogIndex known = parseIndex(readFileIfPresent(index.path(), kMaxIndexBytes));
    if (known.end) throw std::runtime_error("go on with " + log.path() + ": it is finished");
    stages = known.stages;
    rehash();
  }

  void rehash() {
    std::string block(1u << 20, '\0');
    for (std::int64_t at = 0; at < size;) {
      const std::size_t got = log.readAt(at, block.data(), block.size());
      if (got == 0) throw std::runtime_error("read " + log.path() + ": it shrank meanwhile");
      sha.add(std::string_view(block).substr(0, got));
      at += static_cast<std::int64_t>(got);
      at_line_start = block[got - 1] == '\n';
    }
  }
};

LogWriter::LogWriter(LogWriterSettings settings, std::string_view saved)
    : state_(std::make_unique<State>(std::move(settings))) {
  if (saved.empty()) {
    state_->begin();
  } else {
    state_->resume(saved);
  }
}

LogWriter::~LogWriter() = default;

void LogWriter::append(std::string_view masked) {
  state_->checkOpen();
  if (masked.empty()) return;
  const std::int64_t room = std::max<std::int64_t>(0, state_->settings.limit_bytes - state_->kept);
  const std::string_view fits = masked.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(room, 1ll << 40)));
  state_->write(fits);
  state_->kept += static_cast<std::int64_t>(fits.size());
  if (fits.size() < masked.size()) state_->drop(masked.substr(fits.size()));
}

void LogWriter::note(std::string_view sentence) {
  state_->checkOpen();
  state_->writeLine(std::string(sentence));
}

void LogWriter::beginStage(int stage, std::string_view name) {
  state_->checkOpen();
  if (state_->running()) endStage();
  state_->settle();
  StageSlice slice;
  slice.stage = stage;
  slice.begin = state_->size;
  for (const char c : name) slice.name += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  state_->record(beginRecord(slice));
  state_->stages.push_back(std::move(slice));
}

void LogWriter::served(std::string_view name, std::int64_t journal_offset) {
  state_->checkOpen();
  state_->record(servedRecord({std::string(name), journal_offset, state_->size}));
}

void LogWriter::endStage() {
  state_->checkOpen();
  if (!state_->running()) return;
  state_->settle();
  state_->stages.back().end = state_->size;
  state_->record(endRecord(state_->stages.back()));
}

LogEnd LogWriter::finish() {
  state_->checkOpen();
  endStage();
  state_->settle();
  state_->finished = true;
  const LogEnd end{state_->size, state_->sha.hex(), state_->dropped};
  if (state_->settings.sync) state_->log.sync();
  state_->record(doneRecord(end));
  if (state_->settings.sync) state_->index.sync();
  return end;
}

std::int64_t LogWriter::size() const { return state_->size; }
std::int64_t LogWriter::dropped() const { return state_->dropped + state_->stage_dropped; }
const std::vector<StageSlice>& LogWriter::stages() const { return state_->stages; }

std::string LogWriter::save() const {
  std::string out;
  for (const std::int64_t* const number : state_->numbers()) (out += std::to_string(*number)) += ' ';
  const std::string& tail = state_->tail;
  return out.append(tail, tail.size() > kTailBytes ? tail.size() - kTailBytes : 0);
}

}  // namespace ocelot::logs
