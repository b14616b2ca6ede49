// Boost.JSON itself, see CMakeLists.txt.
#include <boost/json/src.hpp>
