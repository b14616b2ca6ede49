#pragma once

// The status page's files (agent/web/page/), as they were when the program was built.

#include <span>
#include <string_view>

namespace genapp::agent {

struct PageFile {
  std::string_view name;  // "page.css"
  std::string_view bytes;
};

std::span<const PageFile> page_files();

}  // namespace genapp::agent
