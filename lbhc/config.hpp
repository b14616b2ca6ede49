#pragma once

// Everything that one LBHC daemon and its actions need to know, read and checked once.

#include <optional>
#include <string>

#include "common/clock.hpp"
#include "common/toml_file.hpp"
#include "lbhc/info.hpp"
#include "lbhc/lb_profile.hpp"
#include "lbhc/source_filter.hpp"

namespace genapp::lbhc {

enum class Protocol { tcp, http, haproxy_agent };
enum class AlreadyRunning { fail, ok };
enum class OnNoProbe { fail, warn, ignore };
enum class Recover { restart, none };
enum class Others { answer, refuse };

std::string_view protocol_text(Protocol protocol);

struct Config {
  std::uint16_t port = 0;
  std::string message;  // what is answered, escapes decoded; may be empty
  common::Clock::duration hc_timeout = std::chrono::seconds(30);
  Protocol protocol = Protocol::tcp;
  std::string listen = "any";  // any, ipv4, ipv6 or a numeric address
  bool wait_first_probe = true;
  AlreadyRunning already_running = AlreadyRunning::fail;
  OnNoProbe on_no_probe = OnNoProbe::fail;
  Recover recover = Recover::restart;
  SourceFilter allow;
  Others others = Others::answer;
  common::Clock::duration drain{};
  std::optional<LbProfile> lb_profile;
  common::Clock::duration lease{};  // 0: none; see lbhc/lease.hpp
  bool standby_check = false;       // quickCheck out of service: the port must be closed here
};

// A key's value comes from the resource's [lbhc], else from genapp.toml's, else it is the default;
// HC_TIMEOUT in the environment comes before both. `settings` may be null. Throws common::Error
// naming file and line.
Config read_config(const common::TomlFile* settings, const common::TomlFile& resource,
                   const std::string& info);

// Throws common::Error unless the message is one that HAProxy's agent-check understands: one line
// of its words (HAProxy configuration manual, "agent-check").
void check_agent_message(std::string_view message);

}  // namespace genapp::lbhc
