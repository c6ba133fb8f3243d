// Brings a model's files into the engine: weights straight to where their tensors lie.
import { TrustformersError } from './errors.js';
import { throwIfAborted } from './options.js';
import type { Engine } from './runtime/engine.js';
import type { ModelFiles, OpenedFile } from './sources.js';

/** As transformers.js shapes it; `progress` is in per cent, and the item "total" sums all files up. */
export interface ProgressInfo {
  status: 'initiate' | 'download' | 'progress' | 'done' | 'ready';
  name: string;
  file?: string;
  loaded?: number;
  total?: number;
  progress?: number;
}
export type ProgressCallback = (info: ProgressInfo) => void;

export interface FetchOptions {
  progress?: ProgressCallback | undefined;
  signal?: AbortSignal | undefined;
}

const small = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'chat_template.jinja',
] as const;
const tokenizerFiles: readonly string[] = small.slice(2);
const modelFiles: readonly string[] = small.slice(0, 2);

/** A folder in the engine's memory. */
export class EngineFiles {
  readonly address: number;
  constructor(
    readonly engine: Engine,
    private readonly source: ModelFiles,
    private readonly options: FetchOptions,
  ) {
    this.address = engine.make('tf_files_create');
  }
  free(): void {
    this.engine.raw('tf_files_free', this.address);
  }

  /** Adds a file; false when the source lacks it. */
  async add(name: string): Promise<boolean> {
    const { signal, progress } = this.options;
    throwIfAborted(signal, 'load');
    progress?.({ status: 'initiate', name: this.source.name, file: name });
    const file = await this.source.open(name, signal);
    if (!file) return false;
    await this.stream(name, file);
    return true;
  }

  private async stream(name: string, { size, chunks }: OpenedFile): Promise<void> {
    const { engine, options } = this;
    const report = (status: ProgressInfo['status'], loaded: number) =>
      options.progress?.({ status, name: this.source.name, file: name, loaded, total: size, progress: size ? (100 * loaded) / size : 100 });
    const handle = engine.withArguments((a) => engine.make('tf_files_begin', this.address, a.text(name), BigInt(size)));
    try {
      report('download', 0);
      let loaded = 0;
      for await (const chunk of chunks) {
        throwIfAborted(options.signal, 'load');
        this.write(handle, chunk, name);
        loaded += chunk.length;
        report('progress', loaded);
      }
      throwIfAborted(options.signal, 'load');
      engine.call('tf_file_finish', handle);
      report('done', loaded);
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

  async addTokenizer(): Promise<void> {
    for (const name of tokenizerFiles) await this.add(name);
    const listed = await this.source.list();
    // A GGUF file brings its own vocabulary.
    const gguf = listed?.filter((name) => name.endsWith('.gguf')) ?? [];
    if (gguf.length > 0 && !listed?.includes('tokenizer.json')) for (const name of gguf) await this.add(name);
  }

  async addModel(): Promise<void> {
    const listed = await this.source.list();
    for (const name of modelFiles) await this.add(name);
    for (const name of await this.weightFiles(listed)) {
      if (!(await this.add(name)))
        throw new TrustformersError('not_found', `[load] ${this.source.name} has no ${name}`);
    }
  }

  private async weightFiles(listed: string[] | null): Promise<string[]> {
    const index = 'model.safetensors.index.json';
    const has = async (name: string) => (listed ? listed.includes(name) : false);
    const gguf = listed?.filter((name) => name.endsWith('.gguf')).sort() ?? [];
    if (gguf.length > 0 && !(await has('model.safetensors')) && !(await has(index))) return gguf;
    if (listed ? await has('model.safetensors') : true) {
      if (listed || !(await this.source.open(index))) return ['model.safetensors'];
    }
    const file = await this.source.open(index, this.options.signal);
    if (!file)
      throw new TrustformersError('not_found', `[load] ${this.source.name} has no model.safetensors, no ${index} and no .gguf file`);
    const parts: Uint8Array[] = [];
    for await (const chunk of file.chunks) parts.push(chunk);
    const text = await new Blob(parts as BlobPart[]).text();
    const map = (JSON.parse(text) as { weight_map?: Record<string, string> }).weight_map ?? {};
    return [...new Set(Object.values(map))].sort();
  }
}
