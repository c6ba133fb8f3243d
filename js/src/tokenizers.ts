/** Tokenizers alone. */
export { TrustformersError } from './errors.js';
export { init, init as default } from './runtime/load.js';
export { AutoTokenizer, PreTrainedTokenizer, TextStream } from './tokenizer.js';
export type { BatchEncoding, ChatMessage, ChatOptions, EncodedRow, EncodeOptions, TokenizerInfo } from './tokenizer.js';
