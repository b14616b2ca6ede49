#include "bench/rounds.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace genapp::bench {
namespace {

namespace json = boost::json;

void note(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::string number_text(double value) {
  char text[48];
  const int decimals = std::fabs(value) >= 100 ? 0 : std::fabs(value) >= 10 ? 1 : 2;
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

}  // namespace

double median(std::vector<double> values) { return quantile(std::move(values), 0.5); }

double quantile(std::vector<double> values, double part) {
  if (values.empty()) throw std::runtime_error("no values to take a quantile of");
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::ceil(part * last));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void Rounds::add(const std::string& subject, const std::string& figure, double value) {
  note(subjects_, subject);
  note(figures_, figure);
  values_[subject][figure].push_back(value);
}

const std::vector<double>& Rounds::values(const std::string& subject,
                                          const std::string& figure) const {
  static const std::vector<double> kNone;
  const auto row = values_.find(subject);
  if (row == values_.end()) return kNone;
  const auto found = row->second.find(figure);
  return found == row->second.end() ? kNone : found->second;
}

double Rounds::ratio(const std::string& subject, const std::string& figure) const {
  const auto& ours = values(subject, figure);
  const auto& theirs = values(reference_, figure);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    ratios.push_back(ours[i] / theirs[i]);
  }
  return median(ratios);
}

bool Rounds::is_compared(const std::string& figure) const {
  return std::find(compared_.begin(), compared_.end(), figure) != compared_.end();
}

std::string Rounds::cell(const std::string& subject, const std::string& figure) const {
  const auto& all = values(subject, figure);
  if (all.empty()) return "-";
  std::string text = number_text(median(all));
  if (is_compared(figure) && !values(reference_, figure).empty()) {
    text += " (" + number_text(ratio(subject, figure)) + ")";
  }
  return text;
}

std::string Rounds::table() const {
  std::string text = "### " + title_ + "\n\n| |";
  std::string rule = "|---|";
  for (const auto& figure : figures_) {
    text += " " + figure + " |";
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const auto& subject : subjects_) {
    text += "| " + subject + " |";
    for (const auto& figure : figures_) text += " " + cell(subject, figure) + " |";
    text += "\n";
  }
  return text;
}

std::string Rounds::json() const {
  json::object subjects;
  for (const auto& subject : subjects_) {
    json::object row;
    for (const auto& figure : figures_) {
      const auto& all = values(subject, figure);
      if (all.empty()) continue;
      json::object entry{{"median", median(all)}, {"rounds", json::value_from(all)}};
      if (is_compared(figure) && !values(reference_, figure).empty()) {
        entry["ratio"] = ratio(subject, figure);
      }
      row[figure] = std::move(entry);
    }
    subjects[subject] = std::move(row);
  }
  return json::serialize(
      json::object{{"title", title_}, {"reference", reference_}, {"subjects", subjects}});
}

void report(const std::vector<Rounds>& tables, const std::string& json_path) {
  for (const Rounds& table : tables) std::printf("%s\n", table.table().c_str());
  std::fflush(stdout);
  write_json(tables, json_path);
}

void write_json(const std::vector<Rounds>& tables, const std::string& json_path) {
  if (json_path.empty()) return;
  std::string all = "[";
  for (const Rounds& table : tables) all += (all.size() > 1 ? ",\n" : "") + table.json();
  std::ofstream file(json_path);
  file << all << "]\n";
  if (!file.flush()) throw std::runtime_error("writing " + json_path + " failed");
}

}  // namespace genapp::bench
