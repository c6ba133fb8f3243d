/** Tokenizers, under Hugging Face's names. */
import { TrustformersError } from './errors.js';
import { EngineFiles } from './files.js';
import type { ProgressCallback } from './files.js';
import { Resource } from './lifetime.js';
import { bothSpellings, pythonic, takeOptions } from './options.js';
import type { Engine } from './runtime/engine.js';
import { currentEngine, init } from './runtime/load.js';
import { openSource } from './sources.js';
import type { ModelSource } from './sources.js';
import { Tensor, wrapTensor } from './tensor.js';

export interface EncodeOptions {
  addSpecialTokens?: boolean;
  textPair?: string | readonly string[];
  padding?: boolean | 'longest' | 'max_length';
  truncation?: boolean | 'longest_first' | 'only_first' | 'only_second';
  maxLength?: number;
  stride?: number;
  paddingSide?: 'left' | 'right';
  padToMultipleOf?: number;
  returnOverflowingTokens?: boolean;
  /** 'pt': tensors instead of arrays. */
  returnTensors?: 'pt';
}

/** Rows of ids, as tensors [B, L] of int64. Also under Python's names (input_ids, …). */
export interface BatchEncoding {
  inputIds: Tensor;
  attentionMask: Tensor;
  tokenTypeIds: Tensor;
}

export interface ChatMessage {
  role: string;
  content: string;
  [more: string]: unknown;
}
export interface ChatOptions {
  addGenerationPrompt?: boolean;
  tools?: readonly unknown[];
  documents?: readonly unknown[];
  chatTemplate?: string;
  templateVariables?: Record<string, unknown>;
}

export interface TokenizerInfo {
  vocab_size: number;
  model_max_length: number | null;
  special_tokens: Partial<Record<'bos' | 'eos' | 'unk' | 'sep' | 'pad' | 'cls' | 'mask', { id: number; token: string }>>;
  chat_templates: string[];
  padding_side: 'left' | 'right';
}

export interface LoadTokenizerOptions {
  progressCallback?: ProgressCallback;
  signal?: AbortSignal;
}

enum Field {
  ids = 0,
  typeIds = 1,
  attentionMask = 2,
  specialTokensMask = 3,
  wordIds = 4,
  sequenceIds = 5,
  offsets = 6,
  sample = 7,
}

export class PreTrainedTokenizer extends Resource {
  readonly info: TokenizerInfo;

  /** Only for this package: use AutoTokenizer. */
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_tokenizer_free', 'tokenizer');
    this.info = JSON.parse(engine.makeText('tf_tokenizer_info', address)) as TokenizerInfo;
  }

  static async fromPretrained(source: ModelSource, options: LoadTokenizerOptions = {}): Promise<PreTrainedTokenizer> {
    const { progress_callback, signal } = loadOptions(options);
    await init(signal ? { signal } : {});
    const engine = currentEngine();
    const files = new EngineFiles(engine, await openSource(source), { progress: progress_callback, signal });
    try {
      await files.addTokenizer();
      return new PreTrainedTokenizer(engine, engine.make('tf_tokenizer_from_files', files.address));
    } finally {
      files.free();
    }
  }
  static from_pretrained(source: ModelSource, options: LoadTokenizerOptions = {}): Promise<PreTrainedTokenizer> {
    return PreTrainedTokenizer.fromPretrained(source, options);
  }

  /** The ids of a text; with `returnTensors: 'pt'` tensors, for one text or several. */
  encode(text: string | readonly string[], options: EncodeOptions & { returnTensors: 'pt' }): BatchEncoding;
  encode(text: string, options?: EncodeOptions): number[];
  encode(text: string | readonly string[], options: EncodeOptions = {}): BatchEncoding | number[] {
    const settings = pythonic(options);
    const { return_tensors } = takeOptions(settings, ['return_tensors']);
    const texts = typeof text === 'string' ? [text] : text;
    if (return_tensors === undefined) return this.#rows(texts, settings, Field.ids)[0] ?? [];
    if (return_tensors !== 'pt')
      throw new TrustformersError('invalid_argument', `[encode] expected returnTensors to be 'pt', got ${String(return_tensors)}`);
    return this.#encode(texts, settings, (encoding) =>
      bothSpellings<BatchEncoding>({
        inputIds: this.#tensor(encoding, Field.ids),
        attentionMask: this.#tensor(encoding, Field.attentionMask),
        tokenTypeIds: this.#tensor(encoding, Field.typeIds),
      }),
    );
  }
  /** Where each token lies in the text, in code points. */
  offsets(text: string, options: EncodeOptions = {}): [number, number][] {
    const flat = this.#rows([text], pythonic(options), Field.offsets)[0] ?? [];
    return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
  }

  decode(ids: ArrayLike<number> | Tensor, options: { skipSpecialTokens?: boolean } = {}): string {
    const settings = pythonic(options);
    const { skip_special_tokens } = takeOptions(settings, ['skip_special_tokens']);
    refuseRest(settings, 'decode');
    const list = ids instanceof Tensor ? Array.from(ids.data() as ArrayLike<number | bigint>, Number) : ids;
    return this.engine.withArguments((a) =>
      this.engine.makeSizedText('tf_tokenizer_decode', this.handle, a.int32s(list), list.length, skip_special_tokens === true ? 1 : 0),
    );
  }
  tokenToId(token: string): number {
    const { engine } = this;
    return engine.withArguments((a) => {
      const out = a.space(4);
      engine.call('tf_tokenizer_token_to_id', this.handle, a.texts([token]), out);
      return engine.view.getInt32(out, true);
    });
  }
  idToToken(id: number): string {
    return this.engine.makeSizedText('tf_tokenizer_id_to_token', this.handle, id);
  }

  /** The text of a prompt. */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    const { engine } = this;
    return engine.withArguments((a) =>
      engine.makeSizedText('tf_tokenizer_chat', this.handle, a.text(JSON.stringify(messages)), a.options(pythonic(options))),
    );
  }

  #encode<T>(texts: readonly string[], settings: Record<string, unknown>, use: (encoding: number) => T): T {
    const { engine } = this;
    const { text_pair } = takeOptions(settings, ['text_pair']);
    const pairs = text_pair === undefined ? undefined : typeof text_pair === 'string' ? [text_pair] : (text_pair as string[]);
    if (pairs && pairs.length !== texts.length)
      throw new TrustformersError('invalid_argument', `[encode] ${pairs.length} second texts for ${texts.length} texts`);
    for (const text of [...texts, ...(pairs ?? [])])
      if (typeof text !== 'string')
        throw new TrustformersError('invalid_argument', `[encode] expected texts, got ${typeof text}`);
    const encoding = engine.withArguments((a) =>
      engine.make('tf_tokenizer_encode', this.handle, a.texts(texts), pairs ? a.texts(pairs) : 0, texts.length, a.options(settings)),
    );
    try {
      return use(encoding);
    } finally {
      engine.raw('tf_encoding_free', encoding);
    }
  }
  #tensor(encoding: number, field: Field): Tensor {
    return wrapTensor(this.engine, this.engine.make('tf_encoding_tensor', encoding, field));
  }
  #rows(texts: readonly string[], settings: Record<string, unknown>, field: Field): number[][] {
    const { engine } = this;
    return this.#encode(texts, settings, (encoding) =>
      Array.from({ length: engine.raw('tf_encoding_rows', encoding) }, (_, row) =>
        engine.withArguments((a) => {
          const out = a.space(8);
          engine.call('tf_encoding_row', encoding, row, field, out, out + 4);
          const at = engine.view.getUint32(out, true);
          const count = engine.view.getUint32(out + 4, true);
          return Array.from({ length: count }, (_, i) => engine.view.getInt32(at + 4 * i, true));
        }),
      ),
    );
  }
}

/** The names of the loading options that tokenizers and models share. */
export function loadOptions(options: object): {
  progress_callback: ProgressCallback | undefined;
  signal: AbortSignal | undefined;
  rest: Record<string, unknown>;
} {
  const rest = pythonic(options);
  const { progress_callback, signal } = takeOptions(rest, ['progress_callback', 'signal']);
  return {
    progress_callback: progress_callback as ProgressCallback | undefined,
    signal: signal as AbortSignal | undefined,
    rest,
  };
}

export function refuseRest(rest: Record<string, unknown>, where: string): void {
  const [first] = Object.keys(rest);
  if (first !== undefined) throw new TrustformersError('invalid_argument', `[${where}] there is no option "${first}"`);
}

export { PreTrainedTokenizer as AutoTokenizer };
