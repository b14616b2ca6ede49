#pragma once

// The figures of several subjects, taken in interleaved rounds, and how they compare: the ratio to
// one subject is taken round by round, so that it holds while the machine's speed drifts. Pure.

#include <map>
#include <string>
#include <vector>

namespace genapp::bench {

double median(std::vector<double> values);
// The value that the share `part` (0 to 1) of the values does not exceed.
double quantile(std::vector<double> values, double part);

// One table: a row for each subject, a column for each figure. Both are in the order in which they
// were first added.
class Rounds {
 public:
  // Ratios are to the subject `reference`, for the figures in `compared`.
  Rounds(std::string title, std::string reference, std::vector<std::string> compared)
      : title_(std::move(title)),
        reference_(std::move(reference)),
        compared_(std::move(compared)) {}

  // One round's value. Every figure of a subject needs one value a round.
  void add(const std::string& subject, const std::string& figure, double value);

  // The median over the rounds of the ratio to the reference.
  double ratio(const std::string& subject, const std::string& figure) const;

  std::string table() const;  // Markdown
  // {"title", "reference", "subjects": {SUBJECT: {FIGURE: {"median", "ratio", "rounds": []}}}}
  std::string json() const;

 private:
  const std::vector<double>& values(const std::string& subject, const std::string& figure) const;
  bool is_compared(const std::string& figure) const;
  std::string cell(const std::string& subject, const std::string& figure) const;

  std::string title_;
  std::string reference_;
  std::vector<std::string> compared_;
  std::vector<std::string> subjects_;
  std::vector<std::string> figures_;
  std::map<std::string, std::map<std::string, std::vector<double>>> values_;
};

// Prints the tables and, unless `json_path` is empty, writes them there. Throws std::runtime_error.
void report(const std::vector<Rounds>& tables, const std::string& json_path);
// The second half alone.
void write_json(const std::vector<Rounds>& tables, const std::string& json_path);

}  // namespace genapp::bench
