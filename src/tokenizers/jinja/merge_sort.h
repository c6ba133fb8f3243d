// A stable sort that stays within bounds whatever the comparison says: templates may compare NaN.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace trustformers::jinja {

/// Sorts so that less(b, a) is false for neighbours a, b; equal items keep their order. `less` may throw: the items are
/// lost then.
template <class T, class Less>
void merge_sort(std::vector<T>& items, Less&& less) {
  std::vector<T> merged(items.size());
  for (std::size_t width = 1; width < items.size(); width *= 2) {
    for (std::size_t begin = 0; begin < items.size(); begin += 2 * width) {
      const auto at = [&](std::size_t place) {
        return std::make_move_iterator(items.begin() + static_cast<std::ptrdiff_t>(std::min(place, items.size())));
      };
      std::merge(at(begin), at(begin + width), at(begin + width), at(begin + 2 * width),
                 merged.begin() + static_cast<std::ptrdiff_t>(begin), less);
    }
    items.swap(merged);
  }
}

}  // namespace trustformers::jinja
