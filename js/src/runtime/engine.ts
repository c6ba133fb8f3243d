// The C interface as JavaScript sees it: memory, texts, errors. Nothing above this file touches an address.
import { codeOfStatus, TrustformersError } from '../errors.js';
import type { Host } from './host.js';

type Value = number | bigint;
export type NativeFunction = (...args: Value[]) => number;

const encoder = new TextEncoder();
/** A byte order mark is a character like others. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** The block that arguments are laid out in; longer ones get memory of their own. */
const scratchBytes = 16384;

export interface EngineInfo {
  version: string;
  abi: number;
  threads: number;
  kernels: string;
  devices: string[];
}

export interface MemoryInfo {
  liveHandles: number;
  storageBytes: number;
  storageBlocks: number;
  tensorObjects: number;
  /** Of the WebAssembly memory, which never shrinks. */
  heapBytes: number;
}

export class Engine {
  readonly memory: WebAssembly.Memory;
  private readonly functions: Record<string, NativeFunction>;
  private readonly scratch: number;
  private readonly names = new Map<string, number>();
  private bytesView: Uint8Array;
  private dataView: DataView;

  constructor(
    exports: WebAssembly.Exports,
    readonly host: Host,
  ) {
    this.functions = exports as Record<string, NativeFunction>;
    this.memory = exports['memory'] as WebAssembly.Memory;
    host.memory = this.memory;
    this.bytesView = new Uint8Array(this.memory.buffer);
    this.dataView = new DataView(this.memory.buffer);
    (exports['_initialize'] as (() => void) | undefined)?.();
    this.scratch = this.allocate(scratchBytes);
  }

  /** The heap. It moves when it grows: never keep it over a call. */
  get bytes(): Uint8Array {
    if (this.bytesView.buffer !== this.memory.buffer) this.renew();
    return this.bytesView;
  }
  get view(): DataView {
    if (this.dataView.buffer !== this.memory.buffer) this.renew();
    return this.dataView;
  }
  private renew(): void {
    this.bytesView = new Uint8Array(this.memory.buffer);
    this.dataView = new DataView(this.memory.buffer);
  }

  allocate(bytes: number): number {
    const at = this.functions['malloc']!(bytes) >>> 0;
    if (at === 0) throw new TrustformersError('out_of_memory', `[memory] the engine cannot allocate ${bytes} bytes`);
    return at;
  }
  free(at: number): void {
    this.functions['free']!(at);
  }

  /** Calls a function that gives no status. */
  raw(name: string, ...args: Value[]): number {
    return this.functions[name]!(...args) >>> 0;
  }

  /** Calls a function that gives a status, and throws what went wrong. */
  call(name: string, ...args: Value[]): void {
    let status: number;
    try {
      status = this.functions[name]!(...args);
    } catch (error) {
      if (error instanceof TrustformersError) throw error;
      throw new TrustformersError('internal', `[${name}] the engine broke off: ${String(error)}`, [], { cause: error });
    }
    if (status !== 0) throw this.lastError(status);
  }

  lastError(status: number): TrustformersError {
    const context = this.text(this.raw('tf_last_error_context'));
    return new TrustformersError(
      codeOfStatus(status),
      this.text(this.raw('tf_last_error_message')),
      context === '' ? [] : context.split('\n'),
    );
  }

  /** Calls a function whose last argument is where the handle it makes goes. */
  make(name: string, ...args: Value[]): number {
    return this.withArguments((a) => {
      const out = a.space(4);
      this.call(name, ...args, out);
      return this.view.getUint32(out, true);
    });
  }

  /** The same for a text, which is given back. */
  makeText(name: string, ...args: Value[]): string {
    return this.withArguments((a) => {
      const out = a.space(4);
      this.call(name, ...args, out);
      const at = this.view.getUint32(out, true);
      const text = this.text(at);
      this.raw('tf_string_free', at);
      return text;
    });
  }
  /** The same where the text's size follows, so that it may hold zero bytes. */
  makeSizedText(name: string, ...args: Value[]): string {
    return this.withArguments((a) => {
      const out = a.space(8);
      this.call(name, ...args, out, out + 4);
      const at = this.view.getUint32(out, true);
      const text = this.slice(at, this.view.getUint32(out + 4, true));
      this.raw('tf_string_free', at);
      return text;
    });
  }

  /** The text at an address, up to its zero byte. */
  text(at: number): string {
    const bytes = this.bytes;
    return this.slice(at, bytes.indexOf(0, at) - at);
  }
  /** So many bytes as a text. They are copied first: shared memory cannot be decoded. */
  slice(at: number, size: number): string {
    return size === 0 ? '' : decoder.decode(this.bytes.slice(at, at + size));
  }

  /** The address of a text that is kept for good: names of ops. */
  name(text: string): number {
    let at = this.names.get(text);
    if (at === undefined) {
      const bytes = encoder.encode(text + '\0');
      at = this.allocate(bytes.length);
      this.bytes.set(bytes, at);
      this.names.set(text, at);
    }
    return at;
  }

  private used = 0;
  /** Runs `body` with a place for its arguments, which is gone afterwards. */
  withArguments<T>(body: (place: Arguments) => T): T {
    const before = this.used;
    const place = new Arguments(this);
    try {
      return body(place);
    } finally {
      place.release();
      this.used = before;
    }
  }
  /** Only for Arguments: a part of the scratch block, or 0 when it is full. */
  take(bytes: number): number {
    const at = (this.used + 7) & ~7;
    if (at + bytes > scratchBytes) return 0;
    this.used = at + bytes;
    return this.scratch + at;
  }

  info(): EngineInfo {
    return JSON.parse(this.makeText('tf_build_info')) as EngineInfo;
  }

  memoryInfo(): MemoryInfo {
    return this.withArguments((a) => {
      const at = a.space(48);
      this.view.setUint32(at, 48, true);
      this.call('tf_memory', at);
      const view = this.view;
      return {
        liveHandles: view.getUint32(at + 4, true),
        storageBytes: Number(view.getBigInt64(at + 8, true)),
        storageBlocks: Number(view.getBigInt64(at + 16, true)),
        tensorObjects: Number(view.getBigInt64(at + 24, true)),
        heapBytes: this.memory.buffer.byteLength,
      };
    });
  }
}

/** Lays arguments out in the engine's memory. */
export class Arguments {
  private readonly own: number[] = [];
  constructor(private readonly engine: Engine) {}

  space(bytes: number): number {
    const at = this.engine.take(bytes);
    if (at !== 0) return at;
    const block = this.engine.allocate(bytes);
    this.own.push(block);
    return block;
  }
  /** A text with a zero byte at its end. */
  text(text: string): number {
    const bytes = encoder.encode(text);
    const at = this.space(bytes.length + 1);
    this.engine.bytes.set(bytes, at);
    this.engine.bytes[at + bytes.length] = 0;
    return at;
  }
  /** Options as JSON; 0 when there are none. */
  options(options: object | undefined): number {
    return options === undefined ? 0 : this.text(toJson(options));
  }
  /** tf_text[]. */
  texts(texts: readonly string[]): number {
    const list = this.space(Math.max(8, texts.length * 8));
    texts.forEach((text, i) => {
      const bytes = encoder.encode(text);
      const at = this.space(Math.max(1, bytes.length));
      this.engine.bytes.set(bytes, at);
      this.engine.view.setUint32(list + i * 8, at, true);
      this.engine.view.setUint32(list + i * 8 + 4, bytes.length, true);
    });
    return list;
  }
  addresses(list: readonly number[]): number {
    const at = this.space(Math.max(4, list.length * 4));
    list.forEach((value, i) => this.engine.view.setUint32(at + i * 4, value, true));
    return at;
  }
  int64s(list: readonly number[]): number {
    const at = this.space(Math.max(8, list.length * 8));
    list.forEach((value, i) => this.engine.view.setBigInt64(at + i * 8, BigInt(value), true));
    return at;
  }
  int32s(list: ArrayLike<number>): number {
    const at = this.space(Math.max(4, list.length * 4));
    for (let i = 0; i < list.length; ++i) this.engine.view.setInt32(at + i * 4, list[i]!, true);
    return at;
  }
  release(): void {
    for (const block of this.own) this.engine.free(block);
  }
}

/** JSON with the numbers that JSON lacks, as Python writes them, and without members that are undefined. */
export function toJson(value: unknown): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`)
      .join(',')}}`;
  return JSON.stringify(value ?? null);
}
