#include "remote/keys/issued.hpp"

#include <map>
#include <sstream>
#include <utility>

namespace genapp::remote::keys {

std::string format_issued(const Issued& record) {
  return record.when + " " + record.serial + " " + record.kind + " " + record.name + " " +
         record.until + " " + record.authority + "\n";
}

std::vector<Issued> parse_issued(std::string_view text) {
  std::vector<Issued> found;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Issued record;
    words >> record.when >> record.serial >> record.kind >> record.name >> record.until;
    std::getline(words >> std::ws, record.authority);
    if (!record.authority.empty()) found.push_back(std::move(record));
  }
  return found;
}

std::vector<Issued> left_behind(const std::vector<Issued>& records, const std::string& authority,
                                const std::string& now) {
  std::map<std::pair<std::string, std::string>, Issued> newest;
  for (const Issued& record : records) newest[{record.kind, record.name}] = record;
  std::vector<Issued> found;
  for (const auto& [who, record] : newest) {
    // Times of this form sort as text.
    if (record.authority != authority && record.until > now) found.push_back(record);
  }
  return found;
}

}  // namespace genapp::remote::keys
