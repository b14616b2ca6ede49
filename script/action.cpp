#include "script/action.hpp"

namespace genapp::script {

const ActionRow& row_of(Action action) { return kActions.at(static_cast<std::size_t>(action)); }

}  // namespace genapp::script
