#pragma once

// What the options of httpmon and smtpmon may hold, and so the agent's monitors of the same kinds.
// `what` names the value in an error: "--uri", "web.toml:12: monitor.front.url". Everything throws
// common::Error, one line that begins with it. Pure, but for credentials_in().

#include <string>
#include <utility>
#include <vector>

#include "monitor/http_check.hpp"

namespace genapp::monitor::values {

// What goes into a request or to a resolver: 1 to 255 bytes, printable and without blanks, so that
// no value can smuggle a line in.
std::string word(const std::string& what, const std::string& text);
// 1 to 4096 bytes.
std::string one_line(const std::string& what, const std::string& text);

int http_version(const std::string& what, const std::string& text);  // "1.0", "1.1"
std::string request_uri(const std::string& what, const std::string& text);
std::vector<StatusRange> status_list(const std::string& what, const std::string& list);
std::string expected_body(const std::string& what, const std::string& text);
// RFC 9110, 5.1 and 5.5: a token, a colon, a value on one line.
std::pair<std::string, std::string> header(const std::string& what, const std::string& text);

std::string credentials(const std::string& what, const std::string& text);  // NAME:PASSWORD
// Those in a file's first line. Reads the file.
std::string credentials_in(const std::string& what, const std::string& path);

std::string tls_name(const std::string& what, const std::string& text);

}  // namespace genapp::monitor::values
