// A caller's wishes to hear of progress and to cancel.
#pragma once

#include <optional>

#include "handles.h"

namespace trustformers::capi {

class Watch {
 public:
  /// NULL: nullptr.
  static std::shared_ptr<const Watch> make(const tf_watch* given) {
    if (!given) return nullptr;
    auto out = std::make_shared<Watch>();
    out->watch_ = take_struct(given, sizeof(std::uint32_t));
    if (out->watch_.cancel) out->token_ = out->watch_.cancel->token;
    return out;
  }

  /// Throws cancelled when the caller wants no more.
  void report(const ProgressEvent& event) const {
    if (token_) token_->check(event.stage);
    if (!watch_.progress) return;
    const std::string stage(event.stage), item(event.item);
    const tf_progress said{sizeof(tf_progress), stage.c_str(), item.c_str(), event.done, event.total};
    check(watch_.progress(watch_.user, &said) == 0, ErrorCode::cancelled, "[", event.stage, "] cancelled");
  }
  const CancelToken* token() const { return token_ ? &*token_ : nullptr; }

 private:
  tf_watch watch_{};
  std::optional<CancelToken> token_;  // the flag itself, so that the handle may be freed
};

}  // namespace trustformers::capi
