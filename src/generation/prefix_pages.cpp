#include "prefix_pages.h"

#include <algorithm>

namespace trustformers {
namespace {

/// The tokens of page number `i`.
std::vector<std::int64_t> tokens_of(std::span<const std::int64_t> ids, std::size_t i) {
  const auto part = ids.subspan(i * CachePage::length, CachePage::length);
  return {part.begin(), part.end()};
}

}  // namespace

PrefixPages::Pages PrefixPages::find(std::span<const std::int64_t> ids) {
  Pages out;
  std::vector<Node*> path;
  std::uint64_t before = 0;
  for (std::size_t i = 0; (i + 1) * CachePage::length <= ids.size(); ++i) {
    const auto at = nodes_.find({before, tokens_of(ids, i)});
    std::shared_ptr<CachePage> page = at == nodes_.end() ? nullptr : at->second.page.lock();
    if (!page) break;
    out.push_back(std::move(page));
    path.push_back(&at->second);
    before = at->second.number;
  }
  keep(path);
  return out;
}

void PrefixPages::add(std::span<const std::int64_t> ids, const Pages& pages) {
  std::vector<Node*> path;
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < pages.size() && (i + 1) * CachePage::length <= ids.size(); ++i) {
    const auto [at, fresh] = nodes_.try_emplace({before, tokens_of(ids, i)}, Node{++last_number_, pages[i], {}, 0});
    // What followed a page that is gone stays right: the tokens decide.
    if (!fresh && at->second.page.expired()) at->second.page = pages[i];
    path.push_back(&at->second);
    before = at->second.number;
  }
  keep(path);
}

/// Marks the pages of a text as used just now, its first page last, so that a beginning outlives what follows it.
void PrefixPages::keep(std::span<Node* const> path) {
  if (kept_ == 0) return;
  for (std::size_t i = path.size(); i-- > 0;) {
    path[i]->used = ++clock_;
    path[i]->kept = path[i]->page.lock();
  }
  std::vector<Node*> kept;
  for (auto& [key, node] : nodes_)
    if (node.kept) kept.push_back(&node);
  if (static_cast<std::int64_t>(kept.size()) <= kept_) return;
  std::sort(kept.begin(), kept.end(), [](const Node* a, const Node* b) { return a->used > b->used; });
  for (std::size_t i = static_cast<std::size_t>(kept_); i < kept.size(); ++i) kept[i]->kept = nullptr;
}

void PrefixPages::sweep() {
  std::erase_if(nodes_, [](const auto& entry) { return entry.second.page.expired(); });
}

std::int64_t PrefixPages::unused_bytes() const {
  std::int64_t sum = 0;
  for (const auto& [key, node] : nodes_)
    if (node.kept && node.kept.use_count() == 1) sum += node.kept->bytes();
  return sum;
}

}  // namespace trustformers
