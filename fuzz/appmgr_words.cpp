// What appmgr prints and says, as the four executables read it; from a guest that lies, too.

#include "fuzz/property.hpp"
#include "remote/resource/manager_call.hpp"

namespace genapp::fuzz {
namespace {

void check_seen(std::string_view text) {
  const auto seen = remote::parse_session_seen(text);
  if (!seen) return;
  const bool known = seen->state == "starting" || seen->state == "running" ||
                     seen->state == "ended" || seen->state == "unknown";
  require(known, "a state is one of four");
  require(seen->pid >= 0, "a pid is not negative");
  const auto end = text.find_last_of('}');
  require(!remote::parse_session_seen(text.substr(0, end)), "half an answer is none");
}

}  // namespace

void check(std::string_view input) {
  if (input.empty()) return;
  const int code = static_cast<unsigned char>(input.front());
  const std::string text(input.substr(1));
  check_seen(text);
  remote::RemoteConfig config;
  config.node = "guest1";
  config.session = "web1";
  const remote::CallEnd end{false, {false, code}, text, text, std::chrono::seconds(1)};
  require_one_line(remote::call_text(config, end));
  require_one_line(remote::not_running_text(config, end));
  const std::string words = remote::last_words_of(text);
  if (!words.empty()) require_one_line(words);
  const bool runs = remote::meaning_of_status(config, end) == remote::Meaning::done;
  require(!runs || (code == 0 && remote::parse_session_seen(text)),
          "what does not say so does not run");
}

}  // namespace genapp::fuzz
