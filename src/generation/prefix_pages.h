// Which beginnings of texts lie in cache pages already.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "../nn/paged_cache.h"

namespace trustformers {

/// Full pages by the tokens that they and all pages before them hold. Knows pages while some text holds them, and the
/// `kept` used last beyond that.
class PrefixPages {
 public:
  using Pages = std::vector<std::shared_ptr<CachePage>>;
  explicit PrefixPages(std::int64_t kept) : kept_(kept) {}

  /// The pages of the longest known beginning of `ids`.
  Pages find(std::span<const std::int64_t> ids);
  /// Makes the full pages of a text known.
  void add(std::span<const std::int64_t> ids, const Pages& pages);
  /// Forgets pages that no text holds and that are not kept.
  void sweep();
  /// Pages that are known.
  std::size_t size() const { return nodes_.size(); }
  /// Bytes of the kept pages that no text holds.
  std::int64_t unused_bytes() const;

 private:
  using Key = std::pair<std::uint64_t, std::vector<std::int64_t>>;  // the page before (0: none), the tokens
  struct Node {
    std::uint64_t number;  // of this page; never used again
    std::weak_ptr<CachePage> page;
    std::shared_ptr<CachePage> kept;
    std::uint64_t used;
  };
  void keep(std::span<Node* const> path);

  std::int64_t kept_;
  std::map<Key, Node> nodes_;
  std::uint64_t last_number_ = 0, clock_ = 0;
};

}  // namespace trustformers
