#include "common/paths.hpp"
#include "lbhc/control.hpp"
#include "lbhc/control_request.hpp"

namespace genapp::lbhc {
namespace {

std::string answer(const ControlServer::Handlers& handlers, std::string_view line) {
  const auto request = parse_control_request(line);
  if (!request) {
    return "error: the requests are: status, drain SECONDS, ignore SECONDS, check SECONDS, "
           "own-probe PORT\n";
  }
  switch (request->kind) {
    case ControlRequest::Kind::status:
      break;
    case ControlRequest::Kind::drain:
      handlers.drain(request->length);
      break;
    case ControlRequest::Kind::ignore:
      handlers.ignore(request->length);
      break;
    case ControlRequest::Kind::check:
      if (!handlers.check(request->length)) return "error: the lease has run out\n";
      break;
    case ControlRequest::Kind::own_probe:
      handlers.own_probe(request->port);
      break;
  }
  return handlers.status();
}

}  // namespace

ControlServer::ControlServer(boost::asio::io_context& io, const common::Directory& run_dir,
                             const common::Id& id, Handlers handlers)
    : server_(io, run_dir, common::paths::sock_name(id),
              [handlers = std::move(handlers)](std::string_view line) {
                return answer(handlers, line);
              }) {}

}  // namespace genapp::lbhc
