#include "token_model.h"

#include <array>
#include <string>

namespace trustformers {

std::vector<TokenId> byte_tokens(const Vocabulary& vocabulary) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::vector<TokenId> ids(256);
  std::string token = "<0x00>";
  for (std::size_t byte = 0; byte < ids.size(); ++byte) {
    token[3] = digits[byte >> 4];
    token[4] = digits[byte & 15];
    ids[byte] = vocabulary.find(token);
  }
  return ids;
}

}  // namespace trustformers
