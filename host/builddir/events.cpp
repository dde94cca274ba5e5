#include "host/builddir/events.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <sstream>
#include <system_error>

namespace ocelot::builddir {
namespace {

using Poco::JSON::Object;

constexpr std::array<std::pair<Event::Kind, const char*>, 5> kKinds{{{Event::Kind::phase, "phase"},
                                                                     {Event::Kind::image, "image"},
                                                                     {Event::Kind::stage, "stage"},
                                                                     {Event::Kind::result, "result"},
                                                                     {Event::Kind::removed, "removed"}}};

void putStage(Object& out, const model::Stage& stage) {
  out.set("index", stage.index);
  out.set("name", stage.name);
  out.set("state", std::string(model::toString(stage.state)));
  out.set("exit_code", stage.exit_code);
  out.set("sentence", stage.sentence);
  out.set("started_at", Poco::Int64{stage.started_at});
  out.set("finished_at", Poco::Int64{stage.finished_at});
  out.set("cpu_us", Poco::Int64{stage.cpu_us});
  out.set("max_rss_bytes", Poco::Int64{stage.max_rss_bytes});
  out.set("log_begin", Poco::Int64{stage.log_begin});
  out.set("log_end", Poco::Int64{stage.log_end});
  out.set("line", stage.line);
}

model::Stage stageFrom(const Object& from) {
  model::Stage stage;
  stage.index = from.getValue<int>("index");
  stage.name = from.getValue<std::string>("name");
  stage.state = model::stageStateFrom(from.getValue<std::string>("state")).value();
  stage.exit_code = from.getValue<int>("exit_code");
  stage.sentence = from.getValue<std::string>("sentence");
  stage.started_at = from.getValue<Poco::Int64>("started_at");
  stage.finished_at = from.getValue<Poco::Int64>("finished_at");
  stage.cpu_us = from.getValue<Poco::Int64>("cpu_us");
  stage.max_rss_bytes = from.getValue<Poco::Int64>("max_rss_bytes");
  stage.log_begin = from.getValue<Poco::Int64>("log_begin");
  stage.log_end = from.getValue<Poco::Int64>("log_end");
  stage.line = from.getValue<int>("line");
  return stage;
}

std::optional<Event> decode(const std::string& line) {
  try {
    const auto from = Poco::JSON::Parser().parse(line).extract<Object::Ptr>();
    const std::string kind = from->getValue<std::string>("event");
    for (const auto& [value, name] : kKinds) {
      if (kind != name) continue;
      Event event;
      event.kind = value;
      if (value == Event::Kind::stage) {
        event.stage = stageFrom(*from);
      } else if (value == Event::Kind::result) {
        event.outcome.state = model::buildStateFrom(from->getValue<std::string>("state")).value();
        event.outcome.reason = from->getValue<std::string>("reason");
        event.outcome.sentence = from->getValue<std::string>("sentence");
        event.retry = from->getValue<bool>("retry");
        event.log_bytes = from->getValue<Poco::Int64>("log_bytes");
        event.log_sha256 = from->getValue<std::string>("log_sha256");
      } else {
        event.text = from->optValue<std::string>("text", "");
      }
      return event;
    }
  } catch (const std::exception&) {
    // Not an event of this version: passed over, as the header says.
  }
  return std::nullopt;
}

}  // namespace

std::string encode(const Event& event) {
  Object out;
  for (const auto& [value, name] : kKinds)
    if (value == event.kind) out.set("event", std::string(name));
  switch (event.kind) {
    case Event::Kind::stage:
      putStage(out, event.stage);
      break;
    case Event::Kind::result:
      out.set("state", std::string(model::toString(event.outcome.state)));
      out.set("reason", event.outcome.reason);
      out.set("sentence", event.outcome.sentence);
      out.set("retry", event.retry);
      out.set("log_bytes", Poco::Int64{event.log_bytes});
      out.set("log_sha256", event.log_sha256);
      break;
    default:
      out.set("text", event.text);
  }
  std::ostringstream text;
  out.stringify(text);
  return text.str() + "\n";
}

EventWriter::EventWriter(const std::string& path)
    : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "open " + path);
}

EventWriter::~EventWriter() { ::close(fd_); }

void EventWriter::write(const Event& event) {
  const std::string line = encode(event);
  if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::system_error(errno, std::generic_category(), "append to a build's events");
}

void EventReader::poll(const std::function<void(const Event&)>& take) {
  const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  std::string bytes;
  std::array<char, 65536> buffer;
  for (ssize_t got; (got = ::pread(fd, buffer.data(), buffer.size(), offset_ + static_cast<off_t>(bytes.size()))) > 0;)
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  ::close(fd);
  std::size_t begin = 0;
  for (std::size_t end; (end = bytes.find('\n', begin)) != std::string::npos; begin = end + 1) {
    offset_ += static_cast<std::int64_t>(end + 1 - begin);
    if (const auto event = decode(bytes.substr(begin, end - begin))) take(*event);
  }
}

}  // namespace ocelot::builddir
