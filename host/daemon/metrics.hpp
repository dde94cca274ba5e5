#pragma once
// Counters, gauges and histograms, printed as Prometheus reads them. Made once at start, then touched without a lock.

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ocelot::daemon {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);  // seconds, by custom
  void print(std::string& out, const std::string& name, const std::string& labels) const;

 private:
  const std::vector<double> bounds_;
  std::deque<std::atomic<std::uint64_t>> buckets_;  // one more than bounds: +Inf
  std::atomic<double> sum_{0};
};

// What it hands out lives as long as the registry. The same name and labels give the same object; a name used for two
// kinds throws std::logic_error. At most 1000 label sets a name: the rest share one labelled overflow="true".
// [any] thread.
class Metrics {
 public:
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // Asked when somebody looks. Outlives the registry's last print().
  void gauge(const std::string& name, const std::string& help, std::function<double()> ask);
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels = {},
                       std::vector<double> bounds = {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600});
  std::string print() const;

 private:
  struct Series {
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> ask;
  };
  struct Family {
    std::string kind, help;
    std::map<std::string, Series> series;  // by printed labels
  };
  Series& series(const std::string& name, const std::string& kind, const std::string& help, const Labels& labels);
  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

}  // namespace ocelot::daemon
