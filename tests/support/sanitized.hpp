#pragma once

namespace genapp::tests {

// Whether what is tested is built with a sanitizer: everything takes several times as long, and its
// shadow memory counts as the process's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace genapp::tests
