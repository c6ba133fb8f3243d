// Loads the engine once: at once in Node, where a file can be read without waiting, by init() elsewhere.
import { TrustformersError } from '../errors.js';
import { Engine } from './engine.js';
import { Host } from './host.js';
import { nodeModule } from './node.js';
import { probe } from './probe.js';
import type { Features } from './probe.js';

export interface InitOptions {
  /** Where the module is, instead of beside this file. */
  wasmUrl?: string | URL;
  /** Its bytes, or the compiled module, for hosts that bring it themselves. */
  wasmBinary?: BufferSource;
  wasmModule?: WebAssembly.Module;
  /** Only instructions whose results do not depend on the machine: no relaxed SIMD. */
  deterministic?: boolean;
  signal?: AbortSignal;
}

export interface Report extends Features {
  loaded: boolean;
  /** "simd" or "relaxed"; empty for a module that the host brought. */
  variant: string;
}

let engine: Engine | null = null;
let loading: Promise<Engine> | null = null;
let variant = '';

const states = { threads: 'this build of the engine computes in one thread' };

/** What this machine can do, what is used of it, and why the rest is not. */
export function report(): Report {
  const features = probe();
  return {
    ...features,
    threads: features.threads || states.threads,
    loaded: engine !== null,
    variant,
  };
}

function chosenVariant(deterministic: boolean): 'simd' | 'relaxed' {
  const features = probe();
  if (features.simd !== '') throw new TrustformersError('unsupported', `[init] ${features.simd}, which the engine needs`);
  return features.relaxedSimd === '' && !deterministic ? 'relaxed' : 'simd';
}

// Written out, so that bundlers see both files and copy them.
function urlOf(name: 'simd' | 'relaxed'): URL {
  return name === 'simd'
    ? new URL('./trustformers-simd.wasm', import.meta.url)
    : new URL('./trustformers-relaxed.wasm', import.meta.url);
}

function start(module: WebAssembly.Module): Engine {
  const host = new Host();
  const instance = new WebAssembly.Instance(module, host.imports(module));
  return new Engine(instance.exports, host);
}

/** The engine, for calls that cannot wait. Throws not_initialized where it must be fetched first. */
export function currentEngine(): Engine {
  if (engine) return engine;
  const files = nodeModule('fs');
  if (!files)
    throw new TrustformersError('not_initialized', '[init] the engine is not loaded: `await init()` first');
  variant = chosenVariant(false);
  engine = start(new WebAssembly.Module(files.readFileSync(urlOf(variant as 'simd'))));
  return engine;
}

async function fetchModule(url: URL | string, signal?: AbortSignal): Promise<WebAssembly.Module> {
  const files = nodeModule('fs');
  const at = new URL(url, import.meta.url);
  if (files && at.protocol === 'file:') return WebAssembly.compile(await files.promises.readFile(at));
  const response = await fetch(at, signal ? { signal } : {});
  if (!response.ok)
    throw new TrustformersError('not_found', `[init] ${at.href} answered ${response.status} ${response.statusText}`);
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/'))
    throw new TrustformersError('parse', `[init] expected a WebAssembly module at ${at.href}, got ${type}`);
  // Servers that know no WebAssembly send another type, which streaming would refuse.
  return type.startsWith('application/wasm')
    ? WebAssembly.compileStreaming(Promise.resolve(response))
    : WebAssembly.compile(await response.arrayBuffer());
}

async function load(options: InitOptions): Promise<Engine> {
  if (options.wasmModule) return start(options.wasmModule);
  if (options.wasmBinary) return start(await WebAssembly.compile(options.wasmBinary));
  if (options.wasmUrl) return start(await fetchModule(options.wasmUrl, options.signal));
  variant = chosenVariant(options.deterministic ?? false);
  return start(await fetchModule(urlOf(variant as 'simd'), options.signal));
}

/** Loads the engine. Further calls wait for the same one; a call that failed may be made again. */
export async function init(options: InitOptions = {}): Promise<void> {
  if (engine) return;
  loading ??= load(options).then((loaded) => (engine = loaded));
  try {
    await loading;
  } finally {
    loading = null;
  }
}
