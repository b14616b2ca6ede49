#include "common/control_client.hpp"

#include "common/error.hpp"
#include "common/paths.hpp"
#include "common/printable.hpp"
#include "lbhc/control.hpp"

namespace genapp::lbhc {
namespace {

using common::Clock;

Status ask(const common::Directory& run_dir, const common::Id& id, const std::string& request,
           Clock::duration timeout) {
  const std::string name = common::paths::sock_name(id);
  const std::string answer = common::ask_control(run_dir, name, request, timeout);
  const auto status = parse_status(answer);
  if (!status || status->id != id.text()) {
    throw common::Error(common::control_peer(run_dir, name) + " answered " +
                        common::quoted(answer) + ", which is no status");
  }
  return *status;
}

}  // namespace

Status ask_status(const common::Directory& run_dir, const common::Id& id, Clock::duration timeout) {
  return ask(run_dir, id, "status\n", timeout);
}

Status ask_drain(const common::Directory& run_dir, const common::Id& id, Clock::duration drain,
                 Clock::duration timeout) {
  return ask(run_dir, id, "drain " + common::seconds_text(drain) + "\n", timeout);
}

Status ask_ignore(const common::Directory& run_dir, const common::Id& id, Clock::duration ignore,
                  Clock::duration timeout) {
  return ask(run_dir, id, "ignore " + common::seconds_text(ignore) + "\n", timeout);
}

Status ask_check(const common::Directory& run_dir, const common::Id& id, Clock::duration lease,
                 Clock::duration timeout) {
  return ask(run_dir, id, "check " + common::seconds_text(lease) + "\n", timeout);
}

Status ask_own_probe(const common::Directory& run_dir, const common::Id& id, std::uint16_t port,
                     Clock::duration timeout) {
  return ask(run_dir, id, "own-probe " + std::to_string(port) + "\n", timeout);
}

}  // namespace genapp::lbhc
