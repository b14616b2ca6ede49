#include "monitor/settings.hpp"

namespace genapp::monitor {
namespace {

std::string authority(const Server& server) {
  const bool bare_ipv6 =
      server.host.find(':') != std::string::npos && !server.host.starts_with('[');
  return (bare_ipv6 ? "[" + server.host + "]" : server.host) + ":" + std::to_string(server.port);
}

}  // namespace

std::string server_text(const Settings& settings) {
  if (settings.protocol == Protocol::smtp) {
    const bool smtps = settings.smtp.how == SmtpSettings::Tls::from_start;
    return (smtps ? "smtps://" : "smtp://") + authority(settings.smtp.server);
  }
  const std::string scheme = settings.http.tls ? "https://" : "http://";
  const std::string& uri = settings.http.uri;
  return scheme + authority(settings.http.server) + (uri.starts_with('/') ? uri : " " + uri);
}

}  // namespace genapp::monitor
