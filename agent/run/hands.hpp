#pragma once

// Effects (agent/effects.hpp) for real, on one event loop: children, processes, checks, files.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/effects.hpp"
#include "agent/run/surroundings.hpp"
#include "common/directory.hpp"

namespace boost::asio {
class io_context;
}

namespace genapp::agent {

class Supervisor;

class Hands : public Effects {
 public:
  struct Setup {
    boost::asio::io_context& io;
    const common::Directory& run_dir;
    Surroundings around;
    std::function<void(const Notice&)> notice;
    // After the supervisor was told something: what it shows and when it is due may be others.
    std::function<void()> told;
  };

  // What the setup refers to outlives it. Throws common::Error when its folders in the run
  // directory can't be made.
  explicit Hands(Setup setup);
  // What outlives the agent goes on; monitors' commands are ended.
  ~Hands() override;
  Hands(const Hands&) = delete;
  Hands& operator=(const Hands&) = delete;

  // Before the loop runs; it outlives the last turn of the loop.
  void serve(Supervisor& supervisor);
  // What an earlier agent has kept, by tag. Throws common::Error.
  std::map<std::string, Record> read_records() const;

  void run(const ResourceConfig& resource, const TaskRun& task) override;
  void drop(const ResourceConfig& resource) override;
  void adopt(const ResourceConfig& resource, const TaskRun& task) override;
  void watch(const ResourceConfig& resource, const MonitorConfig& monitor) override;
  void unwatch(const ResourceConfig& resource, const std::string& monitor) override;
  void run_method(const ResourceConfig& resource, const Method& method) override;
  void keep(const ResourceConfig& resource, const Record& record) override;
  void forget(const ResourceConfig& resource) override;
  void tell(const Notice& notice) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::agent
