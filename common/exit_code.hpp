#pragma once

// Every exit code of every genapp program. OCF's and LSB's numbers do not belong here.

namespace genapp::common {

enum class ExitCode : int {
  ok = 0,             // done, or healthy
  failed = 1,         // failed, or not healthy: every outcome that the seed calls 1
  server_failed = 2,  // httpmon, smtpmon: the server was judged failed
  usage = 64,         // the command line is wrong (sysexits.h: EX_USAGE)

  // appmgr's, whose other codes are the remote command's own, and 128 + N for a signal. As high as
  // they can be, where few programs have codes of their own.
  end_unknown = 249,      // the command has ended, and nobody saw how
  unreachable = 250,      // no appserver was reached: nothing was started
  refused = 251,          // the appserver was reached and refused
  could_not_start = 252,  // the command could not be executed there
  connection_lost = 253,  // there was no contact for the time-out: the command may run
  server_gone = 254,      // the appserver is there and does not know the session any more
};

}  // namespace genapp::common
