#include "script/result.hpp"

#include <string.h>

namespace genapp::script {

std::string signal_text(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return std::to_string(signal) + (name ? std::string(" (") + name + ")" : "");
}

std::string result_text(const Result& result, common::Clock::duration timeout) {
  switch (result.how) {
    case How::exited:
      return "exited with " + std::to_string(result.number);
    case How::signalled:
      return "was killed by signal " + signal_text(result.number);
    case How::timed_out:
      return "did not end within " + common::seconds_text(timeout) + " s and was ended";
    case How::interrupted:
      return "was ended, because this runner got signal " + signal_text(result.number);
    case How::could_not_start:
      break;
  }
  return result.why;
}

}  // namespace genapp::script
