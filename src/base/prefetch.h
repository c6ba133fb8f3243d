// A hint that memory will be read soon; means nothing where the compiler has no word for it.
#pragma once

namespace trustformers {

inline void prefetch([[maybe_unused]] const void* address) {
#if defined(__GNUC__)
  __builtin_prefetch(address);
#endif
}

}  // namespace trustformers
