#include "matcher.h"

#include "../../base/error.h"
#include "closure.h"

namespace trustformers {
GrammarMatcher::GrammarMatcher(std::shared_ptr<TokenMasks> masks) : masks_(std::move(masks)) {
  readings_.push_back({masks_->grammar().start(), -1});
  std::vector<GrammarFrame> all = readings_;
  close(all, complete_);
}

std::int32_t GrammarMatcher::caller(GrammarFrame frame) {
  const std::uint64_t key = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(frame.state)) << 32) |
                            static_cast<std::uint32_t>(frame.caller);
  const auto [at, fresh] = caller_index_.emplace(key, static_cast<std::int32_t>(callers_.size()));
  if (fresh) callers_.push_back(frame);
  return at->second;
}

void GrammarMatcher::close(std::vector<GrammarFrame>& readings, bool& complete) {
  complete = close_frames(masks_->grammar(), readings, callers_, [&](GrammarFrame frame) { return caller(frame); });
  check(readings.size() <= max_readings, ErrorCode::unsupported, "[grammar] it reads a text in more than ",
        max_readings, " ways");
}

bool GrammarMatcher::advance(std::string_view bytes) {
  std::vector<GrammarFrame> now = readings_, all;
  bool complete = complete_;
  for (const char c : bytes) {
    all = now;
    close(all, complete);
    now.clear();
    for (const GrammarFrame& frame : all)
      if (const std::int32_t to = masks_->grammar().state(frame.state).next[static_cast<unsigned char>(c)];
          to != Grammar::none)
        now.push_back({to, frame.caller});
    if (now.empty()) return false;
  }
  all = now;
  close(all, complete);
  readings_ = std::move(now);
  complete_ = complete;
  return true;
}

void GrammarMatcher::next_tokens(std::vector<std::uint64_t>& bits) const {
  bits.assign((masks_->trie().vocabulary() + 63) / 64, 0);
  struct Visit {
    GrammarFrame frame;
    std::uint32_t node;
  };
  std::vector<Visit> work;
  for (const GrammarFrame& frame : readings_) work.push_back({frame, 0});
  while (!work.empty()) {
    const Visit visit = work.back();
    work.pop_back();
    const TokenMasks::Reach& reach = masks_->reach(visit.frame.state, visit.node);
    for (std::size_t i = 0; i < reach.bits.size(); ++i) bits[i] |= reach.bits[i];
    for (const std::uint32_t token : reach.tokens) bits[token / 64] |= std::uint64_t{1} << (token % 64);
    if (visit.frame.caller < 0) continue;
    for (const std::uint32_t node : reach.exits)
      work.push_back({callers_[static_cast<std::size_t>(visit.frame.caller)], node});
  }
}

}  // namespace trustformers
