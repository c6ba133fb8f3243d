/** Tokenizers, under Hugging Face's names. */
import { TrustformersError } from './errors.js';
import { EngineFiles } from './files.js';
import { CallableResource, Resource } from './lifetime.js';
import { bothSpellings, pythonic, refuseRest, takeLoading, takeOptions } from './options.js';
import type { LoadingOptions } from './options.js';
import type { Engine } from './runtime/engine.js';
import { currentEngine, init } from './runtime/load.js';
import { openSource } from './sources.js';
import type { ModelSource } from './sources.js';
import { Tensor } from './tensor.js';
import { wrapTensor } from './tensor/op.js';

export interface EncodeOptions {
  addSpecialTokens?: boolean;
  /** Whether special tokens that are written in the text count as such. */
  parseSpecialTokens?: boolean;
  textPair?: string | readonly string[];
  padding?: boolean | 'longest' | 'max_length';
  truncation?: boolean | 'longest_first' | 'only_first' | 'only_second';
  maxLength?: number;
  stride?: number;
  paddingSide?: 'left' | 'right';
  truncationSide?: 'left' | 'right';
  padToMultipleOf?: number;
  returnOverflowingTokens?: boolean;
}

/** Rows of ids, as tensors [B, L] of int64. Also under Python's names (input_ids, …). */
export interface BatchEncoding {
  inputIds: Tensor;
  attentionMask: Tensor;
  tokenTypeIds: Tensor;
  input_ids: Tensor;
  attention_mask: Tensor;
  token_type_ids: Tensor;
}

/** One row of what encodeRows() gives. */
export interface EncodedRow {
  ids: number[];
  typeIds: number[];
  attentionMask: number[];
  specialTokensMask: number[];
  /** The word that a token belongs to; -1: none. */
  wordIds: number[];
  /** 0: the first text, 1: the second, -1: neither. */
  sequenceIds: number[];
  /** First and end in the text, in code points. */
  offsets: [number, number][];
  /** The text that the row comes from. */
  sample: number;
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
  /** A name or Jinja text. */
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

// By the numbers of the C interface.
const fields = { ids: 0, typeIds: 1, attentionMask: 2, specialTokensMask: 3, wordIds: 4, sequenceIds: 5, offsets: 6, sample: 7 } as const;

export interface PreTrainedTokenizer {
  (text: string | readonly string[], options?: EncodeOptions): BatchEncoding;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- a tokenizer is called like a function
export class PreTrainedTokenizer extends CallableResource<[string | readonly string[], EncodeOptions?], BatchEncoding> {
  readonly info: TokenizerInfo;

  /** Only for this package: use AutoTokenizer. */
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_tokenizer_free', 'tokenizer');
    this.info = JSON.parse(engine.makeText('tf_tokenizer_info', address)) as TokenizerInfo;
  }

  static async fromPretrained(source: ModelSource, options: LoadingOptions = {}): Promise<PreTrainedTokenizer> {
    const { loading, rest } = takeLoading(pythonic(options));
    refuseRest(rest, 'tokenizer');
    await init(loading.signal ? { signal: loading.signal } : {});
    const engine = currentEngine();
    const files = new EngineFiles(engine, await openSource(source, loading), loading);
    try {
      await files.addTokenizer();
      return new PreTrainedTokenizer(engine, engine.make('tf_tokenizer_from_files', files.address));
    } finally {
      files.free();
    }
  }
  static from_pretrained(source: ModelSource, options: LoadingOptions = {}): Promise<PreTrainedTokenizer> {
    return PreTrainedTokenizer.fromPretrained(source, options);
  }

  protected override invoke(text: string | readonly string[], options: EncodeOptions = {}): BatchEncoding {
    return this.#tensors(text, pythonic(options));
  }

  /** The ids of a text; with `returnTensors: 'pt'` tensors, for one text or several. */
  encode(text: string | readonly string[], options: EncodeOptions & { returnTensors: 'pt' }): BatchEncoding;
  encode(text: string, options?: EncodeOptions): number[];
  encode(text: string | readonly string[], options: EncodeOptions & { returnTensors?: 'pt' } = {}): BatchEncoding | number[] {
    const settings = pythonic(options);
    const { return_tensors } = takeOptions(settings, ['return_tensors']);
    if (return_tensors === 'pt') return this.#tensors(text, settings);
    if (return_tensors !== undefined)
      throw new TrustformersError('invalid_argument', `[encode] expected returnTensors to be 'pt', got ${String(return_tensors)}`);
    return this.#encode(textsOf(text), settings, (encoding) => this.#row(encoding, 0, fields.ids));
  }
  /** The tokens of a text. */
  tokenize(text: string, options: EncodeOptions = {}): string[] {
    return this.encode(text, { addSpecialTokens: false, ...options }).map((id) => this.idToToken(id));
  }
  /** All that is known of each token; with `returnOverflowingTokens` further windows follow as rows of their own. */
  encodeRows(text: string | readonly string[], options: EncodeOptions = {}): EncodedRow[] {
    return this.#encode(textsOf(text), pythonic(options), (encoding) =>
      Array.from({ length: this.engine.raw('tf_encoding_rows', encoding) }, (_, row) => {
        const get = (field: number) => this.#row(encoding, row, field);
        const flat = get(fields.offsets);
        return {
          ids: get(fields.ids),
          typeIds: get(fields.typeIds),
          attentionMask: get(fields.attentionMask),
          specialTokensMask: get(fields.specialTokensMask),
          wordIds: get(fields.wordIds),
          sequenceIds: get(fields.sequenceIds),
          offsets: Array.from({ length: flat.length / 2 }, (_, i): [number, number] => [flat[2 * i]!, flat[2 * i + 1]!]),
          sample: get(fields.sample)[0] ?? 0,
        };
      }),
    );
  }

  decode(ids: ArrayLike<number> | Tensor, options: { skipSpecialTokens?: boolean } = {}): string {
    const settings = pythonic(options);
    const { skip_special_tokens } = takeOptions(settings, ['skip_special_tokens']);
    refuseRest(settings, 'decode');
    const list = ids instanceof Tensor ? Array.from(ids.data() as ArrayLike<number | bigint>, Number) : ids;
    const { engine, handle } = this;
    return engine.withArguments((a) =>
      engine.makeSizedText('tf_tokenizer_decode', handle, a.int32s(list), list.length, skip_special_tokens === true ? 1 : 0),
    );
  }
  batchDecode(rows: Tensor | readonly ArrayLike<number>[], options: { skipSpecialTokens?: boolean } = {}): string[] {
    const list = rows instanceof Tensor ? (rows.toArray() as number[][]) : rows;
    return list.map((row) => this.decode(row, options));
  }
  batch_decode(rows: Tensor | readonly ArrayLike<number>[], options: { skipSpecialTokens?: boolean } = {}): string[] {
    return this.batchDecode(rows, options);
  }
  tokenToId(token: string): number {
    const { engine, handle } = this;
    return engine.withArguments((a) => {
      const out = a.space(4);
      engine.call('tf_tokenizer_token_to_id', handle, a.texts([token]), out);
      return engine.view.getInt32(out, true);
    });
  }
  idToToken(id: number): string {
    return this.engine.makeSizedText('tf_tokenizer_id_to_token', this.handle, id);
  }

  /** The text of a prompt. */
  applyChatTemplate(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    const { engine, handle } = this;
    return engine.withArguments((a) =>
      engine.makeSizedText('tf_tokenizer_chat', handle, a.text(JSON.stringify(messages)), a.options(pythonic(options))),
    );
  }
  /** As transformers.js has it: ids as a tensor unless `tokenize` is false. */
  apply_chat_template(messages: readonly ChatMessage[], options: ChatOptions & { tokenize?: boolean } = {}): string | Tensor {
    const { tokenize = true, ...rest } = options;
    const text = this.applyChatTemplate(messages, rest);
    if (!tokenize) return text;
    const { inputIds, attentionMask, tokenTypeIds } = this(text, { addSpecialTokens: false });
    attentionMask.dispose();
    tokenTypeIds.dispose();
    return inputIds;
  }

  /** Text from tokens as they come, in whole characters. */
  createTextStream(options: { skipSpecialTokens?: boolean } = {}): TextStream {
    const { engine, handle } = this;
    return new TextStream(
      engine,
      engine.withArguments((a) => engine.make('tf_text_stream_create', handle, a.options(pythonic(options)))),
    );
  }

  #encode<T>(texts: readonly string[], settings: Record<string, unknown>, use: (encoding: number) => T): T {
    const { engine, handle } = this;
    const { text_pair } = takeOptions(settings, ['text_pair']);
    const pairs = text_pair === undefined || text_pair === null ? undefined : textsOf(text_pair as string | string[]);
    if (pairs && pairs.length !== texts.length)
      throw new TrustformersError('invalid_argument', `[encode] ${pairs.length} second texts for ${texts.length} texts`);
    const encoding = engine.withArguments((a) =>
      engine.make('tf_tokenizer_encode', handle, a.texts(texts), pairs ? a.texts(pairs) : 0, texts.length, a.options(settings)),
    );
    try {
      return use(encoding);
    } finally {
      engine.raw('tf_encoding_free', encoding);
    }
  }
  #tensors(text: string | readonly string[], settings: Record<string, unknown>): BatchEncoding {
    const { engine } = this;
    return this.#encode(textsOf(text), settings, (encoding) => {
      const tensor = (field: number) => wrapTensor(engine, engine.make('tf_encoding_tensor', encoding, field));
      return bothSpellings<BatchEncoding>({
        input_ids: tensor(fields.ids),
        attention_mask: tensor(fields.attentionMask),
        token_type_ids: tensor(fields.typeIds),
      });
    });
  }
  #row(encoding: number, row: number, field: number): number[] {
    const { engine } = this;
    return engine.withArguments((a) => {
      const out = a.space(8);
      engine.call('tf_encoding_row', encoding, row, field, out, out + 4);
      const { view } = engine;
      const at = view.getUint32(out, true);
      return Array.from({ length: view.getUint32(out + 4, true) }, (_, i) => view.getInt32(at + 4 * i, true));
    });
  }
}

/** See PreTrainedTokenizer.createTextStream(). */
export class TextStream extends Resource {
  /** Only for this package. */
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_text_stream_free', 'text stream');
  }
  /** What has become certain with this token, perhaps nothing. */
  push(id: number): string {
    return this.#piece('tf_text_stream_push', [id], 1);
  }
  finish(): string {
    return this.#piece('tf_text_stream_finish', [], 0);
  }
  #piece(name: string, before: number[], after: number): string {
    const { engine, handle } = this;
    return engine.withArguments((a) => {
      const out = a.space(8);
      engine.call(name, handle, ...before, out, ...Array<number>(after).fill(0));
      const { view } = engine;
      return engine.slice(view.getUint32(out, true), view.getUint32(out + 4, true));
    });
  }
}

function textsOf(text: string | readonly string[]): readonly string[] {
  const texts = typeof text === 'string' ? [text] : text;
  if (!Array.isArray(texts) || texts.some((t) => typeof t !== 'string'))
    throw new TrustformersError('invalid_argument', `[encode] expected texts, got ${Array.isArray(text) ? 'an array of others' : typeof text}`);
  return texts as readonly string[];
}

export { PreTrainedTokenizer as AutoTokenizer };
