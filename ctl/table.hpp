#pragma once

#include <string>
#include <vector>

namespace genapp::ctl {

// Rows of cells as lines of text: columns aligned to the left, two spaces between them, none at a
// line's end. The cells are printable ASCII, so a byte is a column. An empty cell is shown as a
// dash.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace genapp::ctl
