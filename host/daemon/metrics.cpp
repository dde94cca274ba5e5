#include "host/daemon/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace ocelot::daemon {
namespace {

const std::size_t kMostSeries = 1000;

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string printed(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) out += (out.empty() ? "" : ",") + name + "=\"" + escaped(value) + "\"";
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  std::snprintf(text, sizeof text, "%.15g", value);
  return text;
}

std::string line(const std::string& name, const std::string& labels, const std::string& value) {
  return name + (labels.empty() ? "" : "{" + labels + "}") + " " + value + "\n";
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), buckets_(bounds_.size() + 1) {}

void Histogram::observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  buckets_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::print(std::string& out, const std::string& name, const std::string& labels) const {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    count += buckets_[i].load(std::memory_order_relaxed);
    const std::string bound = i < bounds_.size() ? number(bounds_[i]) : "+Inf";
    out += line(name + "_bucket", labels + (labels.empty() ? "" : ",") + "le=\"" + bound + "\"", std::to_string(count));
  }
  out += line(name + "_sum", labels, number(sum_.load(std::memory_order_relaxed)));
  out += line(name + "_count", labels, std::to_string(count));
}

Metrics::Series& Metrics::series(const std::string& name, const std::string& kind, const std::string& help,
                                 const Labels& labels) {
  Family& family = families_[name];
  if (family.kind.empty()) {
    family.kind = kind;
    family.help = help;
  }
  if (family.kind != kind) throw std::logic_error("metric " + name + " is a " + family.kind + ", not a " + kind);
  std::string key = printed(labels);
  // A label that takes its value from outside must not fill the memory.
  if (family.series.size() >= kMostSeries && !family.series.count(key)) key = "overflow=\"true\"";
  return family.series[key];
}

Counter& Metrics::counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& of = series(name, "counter", help, labels);
  if (!of.counter) of.counter = std::make_unique<Counter>();
  return *of.counter;
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& of = series(name, "gauge", help, labels);
  if (!of.gauge) of.gauge = std::make_unique<Gauge>();
  return *of.gauge;
}

void Metrics::gauge(const std::string& name, const std::string& help, std::function<double()> ask) {
  const std::lock_guard lock(mutex_);
  series(name, "gauge", help, {}).ask = std::move(ask);
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help, const Labels& labels,
                              std::vector<double> bounds) {
  const std::lock_guard lock(mutex_);
  Series& of = series(name, "histogram", help, labels);
  if (!of.histogram) of.histogram = std::make_unique<Histogram>(std::move(bounds));
  return *of.histogram;
}

std::string Metrics::print() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += "# HELP " + name + " " + family.help + "\n# TYPE " + name + " " + family.kind + "\n";
    for (const auto& [labels, of] : family.series) {
      if (of.counter) out += line(name, labels, std::to_string(of.counter->value()));
      if (of.gauge) out += line(name, labels, std::to_string(of.gauge->value()));
      if (of.ask) out += line(name, labels, number(of.ask()));
      if (of.histogram) of.histogram->print(out, name, labels);
    }
  }
  return out;
}

}  // namespace ocelot::daemon
