// Loads the engine once: at once in Node, where a file can be read without waiting, by init() elsewhere.
import { currentBackend, webgpuObstacle } from '../backend.js';
import type { Backend } from '../backend.js';
import { TrustformersError } from '../errors.js';
import { moduleUrl, threadedUrls } from './assets.js';
import type { ModuleVariant } from './assets.js';
import { Engine } from './engine.js';
import { Host } from './host.js';
import { nodeModule, packageFile } from './node.js';
import { probe } from './probe.js';
import type { Features } from './probe.js';

export interface InitOptions {
  /** Where the module is, instead of beside this file. */
  wasmUrl?: string | URL;
  /** Its bytes, or the compiled module, for hosts that bring it themselves. */
  wasmBinary?: BufferSource;
  wasmModule?: WebAssembly.Module;
  /** Threads for computing (1 at first; pipelines in a worker take one for each core). */
  threads?: number;
  /** Only instructions whose results do not depend on the machine: no relaxed SIMD. */
  deterministic?: boolean;
  signal?: AbortSignal;
}

export interface Report extends Features {
  /** Why the GPU is not used, like the other features. */
  webgpu: string;
  backend: Backend;
  loaded: boolean;
  /** "simd" or "relaxed", with "-threads" or without; empty for a module that the host brought. */
  variant: string;
  /** Of the loaded engine. */
  threadCount: number;
}

/** Apart, for webpack takes `new URL(anything, import.meta.url)` for files that it must bundle. */
const here = import.meta.url;

let engine: Engine | null = null;
let loading: Promise<Engine> | null = null;
let variant = '';
let threadCount = 1;
let obstacle = '';

/** What this machine can do, what is used of it, and why the rest is not. */
export function report(): Report {
  const features = probe();
  return { ...features, threads: features.threads || obstacle, webgpu: webgpuObstacle(), backend: currentBackend(), loaded: engine !== null, variant, threadCount };
}

function chosenVariant(deterministic: boolean): ModuleVariant {
  const features = probe();
  if (features.simd !== '') throw new TrustformersError('unsupported', `[init] ${features.simd}, which the engine needs`);
  return features.relaxedSimd === '' && !deterministic ? 'relaxed' : 'simd';
}

/** The engine, for calls that cannot wait. Throws not_initialized where it must be fetched first. */
export function currentEngine(): Engine {
  if (engine) return engine;
  const files = nodeModule('fs');
  if (!files) throw new TrustformersError('not_initialized', '[init] the engine is not loaded: `await init()` first');
  const chosen = chosenVariant(false);
  const module = new WebAssembly.Module(files.readFileSync(packageFile(moduleUrl(chosen), `trustformers-${chosen}.wasm`)));
  const host = new Host();
  engine = new Engine(new WebAssembly.Instance(module, host.imports(module)).exports, host);
  variant = chosen;
  return engine;
}

async function start(module: WebAssembly.Module): Promise<Engine> {
  const host = new Host();
  return new Engine((await WebAssembly.instantiate(module, host.imports(module))).exports, host);
}

async function fetchModule(url: URL | string, signal?: AbortSignal): Promise<WebAssembly.Module> {
  const files = nodeModule('fs');
  // What a bundler has made of a URL may begin at the page's host, while `here` is where the file lay on its disk.
  const at = new URL(url, (globalThis as { location?: { href: string } }).location?.href ?? here);
  if (files && at.protocol === 'file:') return WebAssembly.compile(await files.promises.readFile(at));
  const response = await fetch(at, signal ? { signal } : {});
  if (!response.ok) throw new TrustformersError('not_found', `[init] ${at.href} answered ${response.status} ${response.statusText}`.trimEnd());
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/')) throw new TrustformersError('parse', `[init] expected a WebAssembly module at ${at.href}, got ${type}`);
  // Servers that know no WebAssembly send another type, which streaming would refuse.
  return type.startsWith('application/wasm')
    ? WebAssembly.compileStreaming(Promise.resolve(response))
    : WebAssembly.compile(await response.arrayBuffer());
}

interface ThreadedModule {
  wasmMemory: WebAssembly.Memory;
  [name: string]: unknown;
}
type CreateModule = (options: object) => Promise<ThreadedModule>;

/** The build with threads: Emscripten's own runtime starts them before this resolves. */
async function startThreads(chosen: ModuleVariant, threads: number): Promise<Engine> {
  const urls = threadedUrls(chosen);
  if (!urls) throw new TrustformersError('unsupported', 'this package was built without threads');
  const { wasm, glue } = urls;
  const host = new Host();
  const { default: create } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ glue.href)) as { default: CreateModule };
  const module = await create({
    threads,
    mainScriptUrlOrBlob: glue.href,
    locateFile: () => (wasm.protocol === 'file:' ? nodeModule('url')!.fileURLToPath(wasm) : wasm.href),
    progress: host.progress,
  });
  const functions: Record<string, unknown> = { memory: module.wasmMemory };
  for (const [name, value] of Object.entries(module)) if (/^_(tf_|malloc$|free$)/.test(name)) functions[name.slice(1)] = value;
  const threaded = new Engine(functions as WebAssembly.Exports, host);
  threaded.call('tf_set_threads', threads);
  return threaded;
}

/** Why the build with threads cannot run here, or an empty text. */
function threadsObstacle(): string {
  const { threads } = probe();
  if (threads !== '') return threads;
  // A page's own thread may not wait for others.
  return (globalThis as { document?: unknown }).document !== undefined ? 'the thread of a page may not wait: threads are for workers' : '';
}

async function load(options: InitOptions): Promise<Engine> {
  const { signal, threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1) throw new TrustformersError('invalid_argument', `[init] expected threads to be at least 1, got ${threads}`);
  if (options.wasmModule) return start(options.wasmModule);
  if (options.wasmBinary) return start(await WebAssembly.compile(options.wasmBinary));
  if (options.wasmUrl) return start(await fetchModule(options.wasmUrl, signal));
  const chosen = chosenVariant(options.deterministic ?? false);
  if (threads > 1) {
    obstacle = threadsObstacle();
    if (obstacle === '')
      try {
        const threaded = await startThreads(chosen, threads);
        variant = `${chosen}-threads`;
        threadCount = threads;
        return threaded;
      } catch (error) {
        // Some browsers refuse large shared memories: one thread works there too.
        obstacle = `the build with threads did not start: ${String(error)}`;
      }
  }
  const files = nodeModule('fs');
  const single = await start(
    files
      ? await WebAssembly.compile(await files.promises.readFile(packageFile(moduleUrl(chosen), `trustformers-${chosen}.wasm`)))
      : await fetchModule(moduleUrl(chosen), signal),
  );
  variant = chosen;
  return single;
}

/** Loads the engine. Further calls wait for the same one; a call that failed may be made again. */
export async function init(options: InitOptions = {}): Promise<void> {
  if (!engine) {
    loading ??= load(options).then((loaded) => (engine = loaded));
    try {
      await loading;
    } finally {
      loading = null;
    }
  }
  if (options.deterministic && variant.startsWith('relaxed'))
    throw new TrustformersError('invalid_argument', '[init] the engine is loaded with relaxed SIMD already: ask for `deterministic` first');
}
