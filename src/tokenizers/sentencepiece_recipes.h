// Recipes for what transformers makes of sentencepiece models, and what all recipes share; internal to this room.
#pragma once

#include "tokenizer_recipes.h"
#include "unigram.h"

namespace trustformers {
struct BpeOptions;
}

namespace trustformers::recipes {

/// Built-in JSON.
Json parse(std::string_view text);
bool flag(const Json& config, std::string_view key, bool otherwise);
/// The content of a role: that of the configuration, or the class's own.
std::string content_of(const Json& config, std::string_view key, std::string_view otherwise);

/// BPE with merges: every way to cut a piece into two pieces, in the order of the pieces, shorter left parts first.
std::unique_ptr<TokenModel> merged_bpe(const SentencePieceModel& model, BpeOptions options);
/// Control and user-defined pieces are found in the text as it is given.
std::vector<AddedToken> added_pieces(const SentencePieceModel& model);
std::vector<UnigramPiece> pieces_of(const SentencePieceModel& model);
Json precompiled(const SentencePieceModel& model);

Recipe mbart(FolderVocabulary& files, const Json& config);
Recipe mbart50(FolderVocabulary& files, const Json& config);
Recipe pegasus(FolderVocabulary& files, const Json& config);
Recipe xlnet(FolderVocabulary& files, const Json& config);
Recipe big_bird(FolderVocabulary& files, const Json& config);
// As transformers 4 builds them: 5 leaves the special tokens out, and of XGLM's pieces all.
Recipe barthez(FolderVocabulary& files, const Json& config);
Recipe rembert(FolderVocabulary& files, const Json& config);
Recipe fnet(FolderVocabulary& files, const Json& config);
Recipe reformer(FolderVocabulary& files, const Json& config);
Recipe xglm(FolderVocabulary& files, const Json& config);
Recipe nllb(FolderVocabulary& files, const Json& config);
/// The pieces of a sentencepiece model, numbered by vocab.json.
Recipe m2m_100(FolderVocabulary& files, const Json& config);
Recipe marian(FolderVocabulary& files, const Json& config);

}  // namespace trustformers::recipes
