#include "agent/states_page.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/states.hpp"

namespace genapp::agent {
namespace {

constexpr std::string_view kIntroduction =
    R"(# The states of a resource under the agent

Printed from the table in `agent/states.cpp` (`states_page md`); a test compares. The picture has the
numbers of the rows.

![the states and what leads from one to another](states.svg)

A state that is *unstable* is left without anybody's doing: what runs in it has a time limit, and a wait
has a number of monitors. Offline is believed after a monitor has said so, and never otherwise. One
thing runs at a time; a command that comes meanwhile waits for it, the latest alone. A fault keeps the
resource from being started on this node until it is cleared.

)";

std::string markdown_row(std::size_t number, const Row& row) {
  std::string line = "| " + std::to_string(number) + " | " + std::string(row.name) + " | " +
                     std::string(name_of(row.from)) + " | `" + std::string(name_of(row.event)) +
                     "` | " + std::string(name_of(row.to)) + " | " +
                     std::string(name_of(row.action)) + " |\n";
  return line;
}

constexpr std::array kAllStates{
    State::detached,          State::opening,      State::probing,           State::online,
    State::offline,           State::going_online, State::going_online_wait, State::going_offline,
    State::going_offline_wait};

// The picture. Places by hand: a cycle from Offline over Online and back, as the seed's figure.

struct Point {
  double x = 0;
  double y = 0;
};

constexpr double kWidth = 150;
constexpr double kHeight = 44;

Point place_of(State state) {
  switch (state) {
    case State::detached:
      return {110, 110};
    case State::opening:
      return {360, 110};
    case State::probing:
      return {610, 110};
    case State::offline:
      return {110, 380};
    case State::online:
      return {850, 380};
    case State::going_online:
      return {360, 270};
    case State::going_online_wait:
      return {610, 270};
    case State::going_offline:
      return {610, 500};
    case State::going_offline_wait:
      return {360, 500};
  }
  return {};
}

std::string number(double value) { return std::to_string(std::lround(value)); }

std::string text_at(Point at, std::string_view text, std::string_view more = "") {
  return "<text x=\"" + number(at.x) + "\" y=\"" + number(at.y) + "\"" + std::string(more) + ">" +
         std::string(text) + "</text>\n";
}

std::string box(State state) {
  const Point at = place_of(state);
  return "<rect x=\"" + number(at.x - kWidth / 2) + "\" y=\"" + number(at.y - kHeight / 2) +
         "\" width=\"" + number(kWidth) + "\" height=\"" + number(kHeight) +
         "\" rx=\"8\" class=\"" + (is_unstable(state) ? "unstable" : "stable") + "\"/>\n" +
         text_at({at.x, at.y + 5}, name_of(state));
}

// Where the line from `from` towards `to` leaves the box of `from`.
Point border(Point from, Point to) {
  const double dx = to.x - from.x;
  const double dy = to.y - from.y;
  const double scale = std::min(dx == 0 ? 1e9 : kWidth / 2 / std::abs(dx),
                                dy == 0 ? 1e9 : kHeight / 2 / std::abs(dy));
  return {from.x + dx * scale, from.y + dy * scale};
}

// How far an arrow is bent to its left: so that it does not lie on the one that comes back, and
// goes around a box that is in its way.
double bend_of(State from, State to) {
  using enum State;
  if (from == probing && to == detached) return 120;
  if (from == probing && to == offline) return -120;
  if (from == probing && to == going_offline) return -170;
  if (from == online && to == detached) return -95;
  if (from == going_offline_wait && to == probing) return 20;
  return 34;
}

std::string arrow(State from, State to, const std::string& label) {
  const Point a = place_of(from);
  const Point b = place_of(to);
  const double length = std::hypot(b.x - a.x, b.y - a.y);
  const double bend = bend_of(from, to);
  const Point middle{(a.x + b.x) / 2 + (b.y - a.y) / length * bend,
                     (a.y + b.y) / 2 - (b.x - a.x) / length * bend};
  const Point begin = border(a, middle);
  const Point end = border(b, middle);
  const Point at{(begin.x + 2 * middle.x + end.x) / 4, (begin.y + 2 * middle.y + end.y) / 4};
  return "<path d=\"M" + number(begin.x) + " " + number(begin.y) + " Q" + number(middle.x) + " " +
         number(middle.y) + " " + number(end.x) + " " + number(end.y) +
         "\" class=\"arrow\" marker-end=\"url(#head)\"/>\n" +
         text_at({at.x, at.y + 4}, label, " class=\"label\"");
}

// What stays in its state: under the box.
std::string stay(State state, const std::string& label) {
  const Point at = place_of(state);
  return text_at({at.x, at.y + kHeight / 2 + 14}, "stays: " + label, " class=\"label\"");
}

constexpr std::string_view kHead =
    R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 60 960 500" font-family="sans-serif" font-size="14" text-anchor="middle">
<title>The states of a resource under the agent</title>
<style>
.stable { fill: #e3f1e3; stroke: #2f6b2f; stroke-width: 2 }
.unstable { fill: #fdf3d8; stroke: #8a6d1c; stroke-width: 2 }
.arrow { fill: none; stroke: #444 }
.label { font-size: 11px; fill: #222; paint-order: stroke; stroke: #fff; stroke-width: 4px }
</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="#444"/></marker></defs>
<rect y="60" width="960" height="500" fill="#fff"/>
)";

}  // namespace

std::string states_markdown() {
  std::string text(kIntroduction);
  text += "| state | |\n|---|---|\n";
  for (const State state : kAllStates) {
    text += "| " + std::string(name_of(state)) + " | " +
            (is_unstable(state) ? "unstable" : "stable") + " |\n";
  }
  text += "\n| | row | in | on | goes to | does |\n|---|---|---|---|---|---|\n";
  std::size_t count = 0;
  for (const Row& row : rows()) text += markdown_row(++count, row);
  return text;
}

std::string states_svg() {
  std::map<std::pair<State, State>, std::string> labels;
  std::size_t count = 0;
  for (const Row& row : rows()) {
    std::string& label = labels[{row.from, row.to}];
    label += (label.empty() ? "" : ", ") + std::to_string(++count);
  }
  std::string svg(kHead);
  for (const auto& [pair, label] : labels) {
    if (pair.first != pair.second) svg += arrow(pair.first, pair.second, label);
  }
  for (const State state : kAllStates) svg += box(state);
  for (const auto& [pair, label] : labels) {
    if (pair.first == pair.second) svg += stay(pair.first, label);
  }
  return svg + "</svg>\n";
}

}  // namespace genapp::agent
