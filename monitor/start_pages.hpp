#pragma once

namespace genapp::monitor {

// Takes the pages of code and constants out of this process that have been mapped so far, of the
// program and of its libraries: most are of the start alone (linking, options, OpenSSL's tables),
// and a monitor lives for months. What is needed again comes back from the page cache by itself, at
// the price of a page fault.
void drop_start_pages();

}  // namespace genapp::monitor
