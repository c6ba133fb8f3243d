// Brings a model's files into the engine: weights straight to where their tensors lie.
import { TrustformersError } from './errors.js';
import { throwIfAborted } from './options.js';
import type { Loading, ProgressInfo } from './options.js';
import type { Engine } from './runtime/engine.js';

/** A file that is there: how long it is, and its bytes in order, once. */
export class OpenedFile {
  constructor(
    readonly size: number,
    readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ) {}
  async bytes(): Promise<Uint8Array> {
    const out = new Uint8Array(this.size);
    let at = 0;
    for await (const chunk of this.chunks) {
      if (at + chunk.length > this.size) throw new TrustformersError('parse', `[load] more than ${this.size} bytes came`);
      out.set(chunk, at);
      at += chunk.length;
    }
    return out.subarray(0, at);
  }
  async text(): Promise<string> {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await this.bytes());
  }
}

export interface ListedFile {
  name: string;
  size: number | null;
}

export interface ModelFiles {
  /** For messages. */
  readonly name: string;
  /** The file, or null when there is none of that name. */
  open(name: string, signal?: AbortSignal): Promise<OpenedFile | null>;
  /** All files, where the source can tell. */
  list(): Promise<ListedFile[] | null>;
}

const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'chat_template.jinja'];
const olderTokenizerFiles = ['added_tokens.json', 'vocab.txt', 'vocab.json', 'merges.txt', 'tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model', 'spm.model'];
const modelFiles = ['config.json', 'generation_config.json'];
const shardIndex = 'model.safetensors.index.json';

/** A folder in the engine's memory. */
export class EngineFiles {
  readonly address: number;
  private readonly added = new Set<string>();
  private loaded = 0;
  private total = 0;

  constructor(
    readonly engine: Engine,
    private readonly source: ModelFiles,
    private readonly loading: Loading,
  ) {
    this.address = engine.make('tf_files_create');
  }
  free(): void {
    this.engine.raw('tf_files_free', this.address);
  }

  /** Adds a file; false when the source lacks it. */
  private async add(name: string): Promise<boolean> {
    // Tokenizers and models share config.json, and GGUF files.
    if (this.added.has(name)) return true;
    const { signal } = this.loading;
    throwIfAborted(signal, 'load');
    const file = await this.source.open(name, signal);
    if (!file) return false;
    this.added.add(name);
    this.report({ status: 'initiate', name: this.source.name, file: name });
    await this.stream(name, file);
    return true;
  }

  private report(event: ProgressInfo): void {
    this.loading.progress?.(event);
  }

  private async stream(name: string, { size, chunks }: OpenedFile): Promise<void> {
    const { engine, loading } = this;
    const at = { name: this.source.name, file: name };
    const handle = engine.withArguments((a) => engine.make('tf_files_begin', this.address, a.text(name), BigInt(size)));
    try {
      this.report({ status: 'download', ...at });
      let loaded = 0;
      for await (const chunk of chunks) {
        throwIfAborted(loading.signal, 'load');
        this.write(handle, chunk, name);
        loaded += chunk.length;
        this.loaded += chunk.length;
        this.report({ status: 'progress', ...at, loaded, total: size, progress: size ? (100 * loaded) / size : 100 });
        if (this.total > 0) {
          const sum = Math.min(this.loaded, this.total);
          this.report({ status: 'progress_total', name: at.name, loaded: sum, total: this.total, progress: (100 * sum) / this.total });
        }
      }
      throwIfAborted(loading.signal, 'load');
      if (loaded !== size)
        throw new TrustformersError('io', `[load] ${loaded} of ${size} bytes of ${name} of ${this.source.name} came`);
      engine.call('tf_file_finish', handle);
      this.report({ status: 'done', ...at });
    } finally {
      engine.raw('tf_file_free', handle);
    }
  }

  private write(handle: number, chunk: Uint8Array, name: string): void {
    const { engine } = this;
    for (let at = 0; at < chunk.length; ) {
      const [place, room] = engine.withArguments((a) => {
        const out = a.space(8);
        engine.call('tf_file_space', handle, out, out + 4);
        return [engine.view.getUint32(out, true), engine.view.getUint32(out + 4, true)] as const;
      });
      if (room === 0) throw new TrustformersError('parse', `[load] more bytes of ${name} came than were announced`);
      const count = Math.min(room, chunk.length - at);
      engine.bytes.set(chunk.subarray(at, at + count), place);
      engine.call('tf_file_commit', handle, count);
      at += count;
    }
  }

  /** The files of a kind that are there, all announced at first so that progress has a total. */
  private async addAll(names: readonly string[], listed: readonly ListedFile[] | null, needed: boolean): Promise<void> {
    const there = listed ? names.filter((name) => listed.some((file) => file.name === name)) : names;
    if (listed) for (const file of listed) if (there.includes(file.name) && !this.added.has(file.name)) this.total += file.size ?? 0;
    for (const name of there)
      if (!(await this.add(name)) && needed) throw new TrustformersError('not_found', `[load] ${this.source.name} has no ${name}`);
  }

  async addTokenizer(): Promise<void> {
    const listed = await this.source.list();
    const has = (name: string) => listed?.some((file) => file.name === name) ?? false;
    const unlisted = listed?.every((file) => file.size === null) ? null : listed;
    const gguf = listed?.map((file) => file.name).filter((name) => name.endsWith('.gguf')) ?? [];
    // A GGUF file brings its own vocabulary.
    if (gguf.length > 0 && !has('tokenizer.json')) return this.addAll(gguf.sort().slice(0, 1), listed, true);
    const names = [...tokenizerFiles, 'config.json'];
    if (unlisted) {
      const others = unlisted.map((file) => file.name).filter((name) => /^tekken.*\.json$|\.tiktoken$|^rwkv_vocab.*\.txt$|\.model$/.test(name));
      names.push(...(has('tokenizer.json') ? [] : [...new Set([...olderTokenizerFiles, ...others])]));
      return this.addAll(names, unlisted, false);
    }
    if (await this.add('tokenizer.json')) return this.addAll(names.slice(1), null, false);
    return this.addAll([...names.slice(1), ...olderTokenizerFiles], null, false);
  }

  /** What says how an encoder's states become the vector of a sentence. */
  async addSentenceModules(): Promise<void> {
    await this.add('sentence_bert_config.json');
    const modules = await this.source.open('modules.json', this.loading.signal);
    if (!modules) return;
    await this.add('modules.json');
    for (const { type, path } of JSON.parse(await modules.text()) as { type: string; path: string }[])
      if (type.endsWith('.Pooling')) await this.add(`${path}/config.json`);
  }

  async addModel(wanted?: string): Promise<void> {
    const listed = await this.source.list();
    const unlisted = listed?.every((file) => file.size === null) ? null : listed;
    const weights = await this.weightFiles(listed, wanted);
    await this.addAll(modelFiles, unlisted, false);
    await this.addAll(weights, listed, true);
  }

  private async weightFiles(listed: readonly ListedFile[] | null, wanted?: string): Promise<string[]> {
    if (wanted !== undefined) return [wanted];
    const names = listed?.map((file) => file.name);
    const sharded = names ? names.includes(shardIndex) : false;
    if (names?.includes('model.safetensors')) return ['model.safetensors'];
    if (names && !sharded) {
      const gguf = names.filter((name) => name.endsWith('.gguf')).sort();
      const safetensors = names.filter((name) => name.endsWith('.safetensors'));
      if (gguf.length > 0) return ggufParts(gguf);
      if (safetensors.length === 1) return safetensors;
      throw new TrustformersError(
        'not_found',
        `[load] ${this.source.name} has no model.safetensors, no ${shardIndex} and no .gguf file; it has: ${names.slice(0, 20).join(', ')}`,
      );
    }
    const index = await this.source.open(shardIndex, this.loading.signal);
    if (!index) return ['model.safetensors'];
    const map = (JSON.parse(await index.text()) as { weight_map?: Record<string, string> }).weight_map ?? {};
    return [...new Set(Object.values(map))].sort();
  }

  /** Runs what makes a model of the files, with a watch that tells of its progress. */
  finishing<T>(body: (watch: number) => T): T {
    const { engine, loading } = this;
    const number = engine.host.addHandler((stage, item, done, total) => {
      this.report({ status: 'progress', name: this.source.name, file: `${stage} ${item}`, loaded: done, total, progress: total ? (100 * done) / total : 100 });
      return !loading.signal?.aborted;
    });
    try {
      return body(engine.raw('tf_js_watch', number, 0));
    } finally {
      engine.host.removeHandler(number);
    }
  }
}

/** Of several GGUF files one model: Q4_K_M where there is one, else the first, with all of its parts. */
function ggufParts(names: readonly string[]): string[] {
  const models = names.filter((name) => !/^(mmproj|mtp)-/.test(name));
  const chosen = models.find((name) => /q4_k_m/i.test(name)) ?? models[0] ?? names[0]!;
  const part = /^(.*)-\d{5}-of-(\d{5})\.gguf$/.exec(chosen);
  return part ? models.filter((name) => name.startsWith(`${part[1]!}-`) && name.endsWith(`-of-${part[2]!}.gguf`)) : [chosen];
}
