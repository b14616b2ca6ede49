#pragma once

// Every exit code of every genapp program. OCF's and LSB's numbers do not belong here.

namespace genapp::common {

enum class ExitCode : int {
  ok = 0,             // done, or healthy
  failed = 1,         // failed, or not healthy: every outcome that the seed calls 1
  server_failed = 2,  // httpmon, smtpmon: the server was judged failed
  usage = 64,         // the command line is wrong (sysexits.h: EX_USAGE)
};

}  // namespace genapp::common
