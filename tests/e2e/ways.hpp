#pragma once

// The ways in which HAProxy's users check a node (HAProxy configuration manual, "tcp-check",
// "option httpchk", "agent-check"), each with what genapp is to be told. docs/lbhc.md shows the
// same.

#include "tests/e2e/two_nodes.hpp"

namespace genapp::tests {

inline const TwoNodes::Way kTcpConnect{
    "tcp_check_connect_linger",
    "  option tcp-check\n  tcp-check connect port @PORT linger\n",
    "check",
    "",
    "",
};

inline const TwoNodes::Way kTcpExpect{
    "tcp_check_expect_string",
    "  option tcp-check\n  tcp-check connect port @PORT\n  tcp-check expect string OK\n",
    "check",
    "OK",
    "",
};

inline const TwoNodes::Way kHttpOptions{
    "httpchk_options", "  option httpchk\n", "check port @PORT", "OK", "protocol = \"http\"\n",
};

inline const TwoNodes::Way kHttpGet{
    "httpchk_get",
    "  option httpchk\n  http-check send meth GET uri /health ver HTTP/1.1 hdr Host lb\n"
    "  http-check expect string OK\n",
    "check port @PORT",
    "OK",
    "protocol = \"http\"\n",
};

inline const TwoNodes::Way kHttpHead{
    "httpchk_head",          "  option httpchk\n  http-check send meth HEAD uri /\n",
    "check port @PORT",      "OK",
    "protocol = \"http\"\n",
};

// An agent that does not answer changes nothing for HAProxy, so the ordinary check must be there
// too, or a standby would stay up for ever.
inline const TwoNodes::Way kAgent{
    "agent_check",
    "  option tcp-check\n  tcp-check connect port @PORT linger\n",
    "check agent-check agent-port @PORT agent-inter 100ms",
    "",
    "protocol = \"haproxy-agent\"\n",
};

}  // namespace genapp::tests
