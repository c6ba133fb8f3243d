/** Where the files of a model come from: a folder (Node), files at hand, or a URL. */
import { TrustformersError } from './errors.js';
import { throwIfAborted } from './options.js';

/** A file that is there: how long it is, and its bytes in order. */
export interface OpenedFile {
  size: number;
  chunks: AsyncIterable<Uint8Array>;
}

export interface ModelFiles {
  /** For messages. */
  readonly name: string;
  /** The file, or null when there is none of that name. */
  open(name: string, signal?: AbortSignal): Promise<OpenedFile | null>;
  /** All names, where the source can tell. */
  list(): Promise<string[] | null>;
}

/** Files at hand, under the names they have in a repository; or as a file input gives them. */
export type GivenFiles = Record<string, Blob | ArrayBuffer | Uint8Array> | readonly File[];

export type ModelSource = string | URL | GivenFiles | ModelFiles;

interface NodeProcess {
  versions?: { node?: string };
  getBuiltinModule?: (name: string) => unknown;
}
function builtin<T>(name: string): T | null {
  const process = (globalThis as { process?: NodeProcess }).process;
  return process?.versions?.node && process.getBuiltinModule ? (process.getBuiltinModule(name) as T) : null;
}

class Folder implements ModelFiles {
  constructor(
    readonly name: string,
    private readonly fs: typeof import('node:fs'),
    private readonly path: typeof import('node:path'),
  ) {}

  async open(name: string): Promise<OpenedFile | null> {
    const file = this.path.join(this.name, name);
    const stats = await this.fs.promises.stat(file).catch(() => null);
    if (!stats?.isFile()) return null;
    return { size: stats.size, chunks: this.fs.createReadStream(file, { highWaterMark: 1 << 20 }) };
  }
  async list(): Promise<string[]> {
    return this.fs.promises.readdir(this.name);
  }
}

class Given implements ModelFiles {
  readonly name = 'the given files';
  private readonly files = new Map<string, Blob | Uint8Array>();
  constructor(given: GivenFiles) {
    if (Array.isArray(given)) {
      for (const file of given as readonly File[]) {
        // A folder input names files with the folder in front.
        const path = file.webkitRelativePath;
        this.files.set(path ? path.slice(path.indexOf('/') + 1) : file.name, file);
      }
      return;
    }
    for (const [name, content] of Object.entries(given as Record<string, Blob | ArrayBuffer | Uint8Array>))
      this.files.set(name, content instanceof Blob || ArrayBuffer.isView(content) ? content : new Uint8Array(content));
  }

  async open(name: string): Promise<OpenedFile | null> {
    const file = this.files.get(name);
    if (!file) return null;
    if (file instanceof Blob) return { size: file.size, chunks: chunksOf(file.stream()) };
    return { size: file.length, chunks: one(file) };
  }
  async list(): Promise<string[]> {
    return [...this.files.keys()];
  }
}

class Remote implements ModelFiles {
  readonly name: string;
  constructor(private readonly base: URL) {
    this.name = base.href;
  }

  async open(name: string, signal?: AbortSignal): Promise<OpenedFile | null> {
    const url = new URL(name, this.base);
    const response = await fetch(url, signal ? { signal } : {}).catch((error: unknown) => {
      throwIfAborted(signal, 'fetch');
      throw new TrustformersError('io', `[fetch] ${url.href} cannot be reached`, [], { cause: error });
    });
    if (response.status === 404) return null;
    if (!response.ok)
      throw new TrustformersError('io', `[fetch] ${url.href} answered ${response.status} ${response.statusText}`);
    // Development servers answer everything with their start page.
    if ((response.headers.get('content-type') ?? '').startsWith('text/html')) {
      await response.body?.cancel();
      return null;
    }
    const length = Number(response.headers.get('content-length'));
    if (response.body && length > 0 && !response.headers.get('content-encoding'))
      return { size: length, chunks: chunksOf(response.body) };
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { size: bytes.length, chunks: one(bytes) };
  }
  async list(): Promise<null> {
    return null;
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function isModelFiles(source: object): source is ModelFiles {
  return typeof (source as ModelFiles).open === 'function' && typeof (source as ModelFiles).list === 'function';
}

/** The files that a source means. In Node a text is a folder's path unless it looks like a URL. */
export async function openSource(source: ModelSource): Promise<ModelFiles> {
  if (source instanceof URL) return openUrl(source);
  if (typeof source === 'object') return isModelFiles(source) ? source : new Given(source as GivenFiles);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) return openUrl(new URL(source));
  const fs = builtin<typeof import('node:fs')>('node:fs');
  const path = builtin<typeof import('node:path')>('node:path');
  if (fs && path) {
    const stats = await fs.promises.stat(source).catch(() => null);
    if (stats?.isDirectory()) return new Folder(source, fs, path);
    if (stats?.isFile()) return onlyFile(new Folder(path.dirname(source), fs, path), path.basename(source));
  }
  throw new TrustformersError(
    'not_found',
    `[model] expected ${fs ? 'a folder, a file, ' : ''}a URL or files, got "${source}", which is none of them`,
  );
}

function openUrl(url: URL): Promise<ModelFiles> | ModelFiles {
  if (url.protocol === 'file:') {
    const node = builtin<typeof import('node:url')>('node:url');
    if (node) return openSource(node.fileURLToPath(url));
  }
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  if (name.endsWith('.gguf')) return onlyFile(new Remote(new URL('.', url)), name);
  return new Remote(url.pathname.endsWith('/') ? url : new URL(`${url.href}/`));
}

/** A folder of which one file of weights counts. */
function onlyFile(folder: ModelFiles, name: string): ModelFiles {
  return {
    name: `${folder.name}/${name}`,
    open: (wanted, signal) => folder.open(wanted, signal),
    list: async () => [name],
  };
}
