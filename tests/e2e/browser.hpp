#pragma once

// Chromium without a window, told what to do by its DevTools protocol.

#include <memory>
#include <string>
#include <vector>

namespace genapp::tests {

// One page in a browser of its own, which is gone with the object. Throws std::runtime_error when
// the browser does not do as it is told.
class Browser {
 public:
  // Keeps its files in `folder`.
  explicit Browser(const std::string& folder);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  void open(const std::string& url);
  // JavaScript in the page; its value as text.
  std::string evaluate(const std::string& expression);
  // Whether it becomes true in time (wait_until()).
  bool becomes_true(const std::string& expression);
  // What the page's console has been told of faults since it was opened: exceptions, files that
  // could not be had, breaches of the content security policy.
  std::vector<std::string> complaints();

  enum class Scheme { light, dark };
  void look(int width, int height, Scheme scheme);
  // A PNG of what is seen.
  void save_picture(const std::string& path);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace genapp::tests
