// Whatever a daemon has to say is read back as it was said.

#include <fuzzer/FuzzedDataProvider.h>

#include "ctl/flag_cause.hpp"
#include "fuzz/property.hpp"
#include "lbhc/status.hpp"

namespace genapp::fuzz {
namespace {

class Source {
 public:
  explicit Source(std::string_view input)
      : bytes_(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()) {}

  // From `least` to what the type holds.
  template <typename Number>
  Number number(Number least) {
    return bytes_.ConsumeIntegralInRange<Number>(least, std::numeric_limits<Number>::max());
  }
  // ASCII, as everything is that a daemon puts there.
  std::string text() {
    std::string text = bytes_.ConsumeRandomLengthString(100);
    for (char& c : text) c = static_cast<char>(c & 0x7f);
    return text;
  }
  bool truth() { return bytes_.ConsumeBool(); }

 private:
  FuzzedDataProvider bytes_;
};

lbhc::Status status_from(Source& source) {
  lbhc::Status status;
  status.tag = source.text();
  status.id = source.text();
  status.pid = source.number<pid_t>(1);
  status.phase = static_cast<lbhc::Phase>(source.number<std::uint8_t>(0) % 3);
  status.port = source.number<std::uint16_t>(1);
  status.protocol = source.text();
  status.hc_timeout_ms = source.number<std::int64_t>(0);
  status.uptime_ms = source.number<std::int64_t>(0);
  status.probes = source.number<std::uint64_t>(0);
  status.answered = source.number<std::uint64_t>(0);
  status.undelivered = source.number<std::uint64_t>(0);
  status.others = source.number<std::uint64_t>(0);
  status.connections = source.number<std::uint64_t>(0);
  if (source.truth()) {
    status.last_probe = {source.number<std::int64_t>(0), source.text(), source.text()};
  }
  if (source.truth()) status.no_probe = source.text();
  return status;
}

void require_line(std::string_view line) {
  require(!line.empty() && line.find('\n') == line.size() - 1, "it is one line");
}

}  // namespace

void check(std::string_view input) {
  Source source(input);
  const lbhc::Status status = status_from(source);
  const std::string line = lbhc::format_status(status);
  require_line(line);
  require(lbhc::parse_status(line) == status, "a status is read back as written");

  const std::string flag = lbhc::format_flag(status, common::WallClock::now());
  require_line(flag);
  require(ctl::flag_cause(flag) == lbhc::no_probe_cause(status.probes, status.last_probe),
          "a flag's cause is read back as written");
}

}  // namespace genapp::fuzz
