// Code points by the version of Unicode that brought them. Hugging Face's library classifies some of its characters by
// tables that it has not renewed; what is newer is neither mark nor punctuation nor of any script there, and tokenizers
// trained with it expect just that.
#pragma once

namespace trustformers::unicode {

/// Assigned after Unicode 9: the tables of StripAccents and UnicodeScripts.
bool is_newer_than_9(char32_t value);
/// Assigned after Unicode 8, of marks, punctuation and format characters: the tables of BERT's normaliser and of the
/// punctuation splitters.
bool is_newer_than_8(char32_t value);

}  // namespace trustformers::unicode
