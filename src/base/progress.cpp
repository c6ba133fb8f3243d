#include "progress.h"

#include "error.h"

namespace trustformers {

void CancelToken::check(std::string_view what) const {
  if (cancelled()) fail(ErrorCode::cancelled, "[", what, "] cancelled by the caller");
}

}  // namespace trustformers
