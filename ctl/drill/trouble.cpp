#include "ctl/drill/trouble.hpp"

#include <signal.h>

#include <optional>

#include "common/error.hpp"
#include "common/listener.hpp"
#include "common/pid_file.hpp"
#include "common/process.hpp"
#include "ctl/drill/filler.hpp"
#include "lbhc/control.hpp"

namespace genapp::ctl::drill {
namespace {

using common::Clock;
using common::Error;

constexpr auto kControlTime = std::chrono::seconds(3);
constexpr auto kKillTime = std::chrono::seconds(5);
// Before the flag is due: late, so that the disk is full for moments only.
constexpr auto kFillBefore = std::chrono::seconds(1);
constexpr auto kMostFull = std::chrono::seconds(10);

Error replaced() { return Error("somebody else has replaced the daemon meanwhile"); }

std::string pid_text(const Target& target) {
  return "(pid " + std::to_string(target.daemon.pid) + ")";
}

common::LivingProcess find_daemon(const Target& target) {
  auto daemon = common::find_living(target.run_dir, target.id);
  if (!daemon || daemon->pid != target.daemon.pid) throw replaced();
  return std::move(*daemon);
}

void kill_daemon(const Target& target) {
  const auto daemon = find_daemon(target);
  common::send_signal(daemon.pidfd, SIGKILL);
  if (!common::wait_for_end(daemon.pidfd, kKillTime)) {
    throw Error("the daemon " + pid_text(target) + " does not end on KILL: the kernel holds it");
  }
}

class Killed : public Trouble {
 public:
  explicit Killed(const Target& target) : target_(target) { kill_daemon(target); }
  std::string made() const override { return "the daemon " + pid_text(target_) + " is killed"; }

 private:
  const Target& target_;
};

class Hung : public Trouble {
 public:
  explicit Hung(const Target& target) : target_(target) {
    common::send_signal(find_daemon(target).pidfd, SIGSTOP);
  }
  std::string made() const override { return "the daemon " + pid_text(target_) + " is stopped"; }

 private:
  const Target& target_;
};

class PortTaken : public Trouble {
 public:
  explicit PortTaken(const Target& target) : target_(target) {
    kill_daemon(target);
    port_ = common::open_listener(target.config.listen, target.config.port);
  }
  std::string made() const override {
    return "the daemon " + pid_text(target_) + " is killed, and port " +
           std::to_string(target_.config.port) + " taken";
  }

 private:
  const Target& target_;
  common::Fd port_;
};

class NoProbe : public Trouble {
 public:
  explicit NoProbe(const Target& target) : target_(target) { ignore(); }
  std::string made() const override {
    return "the daemon " + pid_text(target_) + " answers probes and counts none";
  }
  std::string keep_up() override {
    ignore();
    return "";
  }

 protected:
  // The daemon's status.
  lbhc::Status ignore() const {
    const auto status =
        lbhc::ask_ignore(target_.run_dir, target_.id, lbhc::kMostIgnore, kControlTime);
    if (status.pid == target_.daemon.pid) return status;
    lbhc::ask_ignore(target_.run_dir, target_.id, Clock::duration::zero(), kControlTime);
    throw replaced();
  }
  const Target& target_;
};

class DiskFull : public NoProbe {
 public:
  using NoProbe::NoProbe;
  std::string made() const override { return NoProbe::made() + "; the disk follows"; }

  std::string keep_up() override {
    const lbhc::Status status = ignore();
    const std::chrono::milliseconds age(status.last_probe ? status.last_probe->age_ms
                                                          : status.uptime_ms);
    if (filled_ || age < target_.hc_timeout - kFillBefore) return limit();
    filled_ = Clock::now();
    filler_.emplace(target_.run_dir);
    return target_.run_dir.path() + " is full (" + std::to_string(filler_->bytes() / 1024) +
           " KiB were free)";
  }

  std::string limit() override {
    if (!filler_ || Clock::now() - *filled_ < kMostFull) return "";
    filler_.reset();
    return target_.run_dir.path() + " is no longer full: it was for 10 s";
  }

 private:
  std::optional<Clock::time_point> filled_;
  std::optional<Filler> filler_;
};

}  // namespace

std::string why_not(Fault fault, const Target& target) {
  if (row_of(fault).by_flag && target.config.on_no_probe != lbhc::OnNoProbe::fail) {
    return "on_no_probe is not \"fail\", so quickCheck looks away from it";
  }
  if (fault != Fault::disk_full) return "";
  return why_not_fill(space_of(target.run_dir), target.run_dir.path());
}

std::unique_ptr<Trouble> make_trouble(Fault fault, const Target& target) {
  switch (fault) {
    case Fault::no_probe:
      return std::make_unique<NoProbe>(target);
    case Fault::killed:
      return std::make_unique<Killed>(target);
    case Fault::hung:
      return std::make_unique<Hung>(target);
    case Fault::port_taken:
      return std::make_unique<PortTaken>(target);
    case Fault::disk_full:
      return std::make_unique<DiskFull>(target);
  }
  throw Error("no such fault");
}

}  // namespace genapp::ctl::drill
