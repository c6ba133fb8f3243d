/** Takes text as it is generated and hands it on; the class of transformers.js. */
import type { TokenStreamer } from './model.js';
import { pythonic, refuseRest, takeOptions } from './options.js';
import type { PreTrainedTokenizer, TextStream } from './tokenizer.js';

export interface TextStreamerOptions {
  /** Leave out the prompt (of pipelines; models do not stream it). */
  skipPrompt?: boolean;
  skipSpecialTokens?: boolean;
  callbackFunction?: (text: string) => void;
  tokenCallbackFunction?: (tokens: readonly number[]) => void;
}

export class TextStreamer implements TokenStreamer {
  readonly skipPrompt: boolean;
  readonly skipSpecialTokens: boolean;
  readonly #text: (text: string) => void;
  readonly #tokens: ((tokens: readonly number[]) => void) | undefined;
  readonly #tokenizer: PreTrainedTokenizer | null | undefined;
  #stream: TextStream | null = null;

  /** `tokenizer` may be absent where a pipeline does the decoding. */
  constructor(tokenizer?: PreTrainedTokenizer | null, options: TextStreamerOptions = {}) {
    const settings = pythonic(options);
    const { skip_prompt, skip_special_tokens, callback_function, token_callback_function } = takeOptions(settings, [
      'skip_prompt',
      'skip_special_tokens',
      'callback_function',
      'token_callback_function',
    ]);
    refuseRest(settings, 'TextStreamer');
    this.#tokenizer = tokenizer;
    this.skipPrompt = skip_prompt === true;
    this.skipSpecialTokens = skip_special_tokens !== false;
    this.#text = (callback_function as ((text: string) => void) | undefined) ?? (() => undefined);
    this.#tokens = token_callback_function as ((tokens: readonly number[]) => void) | undefined;
  }

  /** Text that is certain, and the tokens that brought it. */
  push(text: string, tokens: readonly number[]): void {
    if (tokens.length > 0) this.#tokens?.(tokens);
    if (text !== '') this.#text(text);
  }
  /** A token of one row, as model.generate() gives them. */
  put(tokens: readonly number[]): void {
    if (!this.#tokenizer) return this.push('', tokens);
    this.#stream ??= this.#tokenizer.createTextStream({ skipSpecialTokens: this.skipSpecialTokens });
    this.push(this.#stream.push(tokens[0]!), tokens);
  }
  end(): void {
    if (!this.#stream) return;
    this.push(this.#stream.finish(), []);
    this.#stream.dispose();
    this.#stream = null;
  }
}
