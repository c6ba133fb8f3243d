/** Where the files of a model come from: a folder (Node), files at hand, a URL, or an id of the hub. */
import { TrustformersError } from './errors.js';
import { OpenedFile } from './files.js';
import type { ListedFile, ModelFiles } from './files.js';
import { chunksOf, download, isFile, request } from './hub/download.js';
import { openRepository } from './hub/hub.js';
import { openFile } from './hub/node_store.js';
import type { Loading } from './options.js';
import { nodeModule } from './runtime/node.js';
import { settings } from './settings.js';

/** Files at hand, under the names they have in a repository; or as a file input gives them. */
export type GivenFiles = Record<string, Blob | ArrayBuffer | Uint8Array> | readonly File[];

/** A folder's path, a URL, an id of the hub ("org/name", "org/name:Q4_K_M" for one GGUF file), or the files themselves. */
export type ModelSource = string | URL | GivenFiles | Blob | ModelFiles;

class Folder implements ModelFiles {
  private readonly fs = nodeModule('fs')!;
  private readonly path = nodeModule('path')!;
  constructor(readonly name: string) {}

  async open(name: string): Promise<OpenedFile | null> {
    const file = this.path.join(this.name, name);
    const stats = await this.fs.promises.stat(file).catch(() => null);
    return stats?.isFile() ? openFile(this.fs, file, stats.size) : null;
  }
  async list(): Promise<ListedFile[]> {
    const names = await this.fs.promises.readdir(this.name);
    const stats = await Promise.all(names.map((name) => this.fs.promises.stat(this.path.join(this.name, name)).catch(() => null)));
    return names.flatMap((name, i) => (stats[i]?.isFile() ? [{ name, size: stats[i].size }] : []));
  }
}

class Given implements ModelFiles {
  readonly name = 'the given files';
  private readonly files = new Map<string, Blob | Uint8Array>();
  constructor(given: GivenFiles | Blob) {
    if (given instanceof Blob) {
      this.files.set((given as File).name || 'model.gguf', given);
    } else if (Array.isArray(given)) {
      for (const file of given as readonly File[]) {
        // A folder input names files with the folder in front.
        const path = file.webkitRelativePath;
        this.files.set(path ? path.slice(path.indexOf('/') + 1) : file.name, file);
      }
    } else {
      for (const [name, content] of Object.entries(given as Record<string, Blob | ArrayBuffer | Uint8Array>))
        this.files.set(name, content instanceof Blob || ArrayBuffer.isView(content) ? content : new Uint8Array(content));
    }
  }

  async open(name: string): Promise<OpenedFile | null> {
    const file = this.files.get(name);
    if (!file) return null;
    return file instanceof Blob ? new OpenedFile(file.size, chunksOf(file.stream())) : new OpenedFile(file.length, [file]);
  }
  async list(): Promise<ListedFile[]> {
    return [...this.files].map(([name, file]) => ({ name, size: file instanceof Blob ? file.size : file.length }));
  }
}

class Remote implements ModelFiles {
  readonly name: string;
  constructor(private readonly base: URL) {
    this.name = base.href;
  }

  async open(name: string, signal?: AbortSignal): Promise<OpenedFile | null> {
    const url = new URL(name, this.base).href;
    const response = await request({ url, signal });
    // Only a server's own files count: a page of HTML in place of a file that may be absent is its absence.
    const html = (response.headers.get('content-type') ?? '').startsWith('text/html');
    if (html && !isWeights(name)) {
      await response.body?.cancel();
      return null;
    }
    if (!(await isFile(response, url))) return null;
    const length = Number(response.headers.get('content-length'));
    if (response.body && length > 0 && !response.headers.get('content-encoding'))
      return new OpenedFile(length, download({ url, signal }, length, 0, response));
    const bytes = new Uint8Array(await response.arrayBuffer());
    return new OpenedFile(bytes.length, [bytes]);
  }
  async list(): Promise<null> {
    return null;
  }
}

function isWeights(name: string): boolean {
  return /\.(safetensors|gguf)$/.test(name);
}

function isModelFiles(source: object): source is ModelFiles {
  return typeof (source as ModelFiles).open === 'function' && typeof (source as ModelFiles).list === 'function';
}

/** A folder with only some of its files. */
function filtered(folder: ModelFiles, name: string, wanted: (file: string) => boolean): ModelFiles {
  return {
    name,
    open: async (file, signal) => (wanted(file) ? folder.open(file, signal) : null),
    list: async () => (await folder.list())?.filter((file) => wanted(file.name)) ?? null,
  };
}

/** A folder of which one file of weights counts. */
function onlyWeights(folder: ModelFiles, file: string): ModelFiles {
  const only = filtered(folder, `${folder.name}/${file}`, (name) => name === file || !isWeights(name));
  return { ...only, list: async () => (await only.list()) ?? [{ name: file, size: null }] };
}

function subfolder(folder: ModelFiles, prefix: string): ModelFiles {
  const base = prefix.endsWith('/') ? prefix : `${prefix}/`;
  return {
    name: `${folder.name}/${prefix}`,
    open: (name, signal) => folder.open(base + name, signal),
    list: async () =>
      (await folder.list())?.flatMap(({ name, size }) => (name.startsWith(base) ? [{ name: name.slice(base.length), size }] : [])) ?? null,
  };
}

async function openLocal(source: string): Promise<ModelFiles | null> {
  const fs = nodeModule('fs');
  const path = nodeModule('path');
  if (!fs || !path) return null;
  for (const place of [source, path.join(settings.localModelPath, source)]) {
    const stats = await fs.promises.stat(place).catch(() => null);
    if (stats?.isDirectory()) return new Folder(place);
    if (stats?.isFile()) return onlyWeights(new Folder(path.dirname(place)), path.basename(place));
  }
  return null;
}

function openUrl(url: URL): Promise<ModelFiles> | ModelFiles {
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  if (isWeights(name)) return onlyWeights(new Remote(new URL('.', url)), name);
  return new Remote(url.pathname.endsWith('/') ? url : new URL(`${url.href}/`));
}

/** One GGUF file of a repository: the one that its name says, else Q4_K_M, else the first. */
async function chosenGguf(repository: ModelFiles, quant: string): Promise<ModelFiles> {
  const names = ((await repository.list()) ?? []).map((file) => file.name).filter((name) => name.endsWith('.gguf'));
  const chosen = names.filter((name) => name.toLowerCase().includes(quant.toLowerCase()));
  if (chosen.length === 0)
    throw new TrustformersError('not_found', `[hub] ${repository.name} has no GGUF file "${quant}"; there are: ${names.join(', ') || 'none'}`);
  return filtered(repository, `${repository.name}:${quant}`, (name) => chosen.includes(name) || !isWeights(name));
}

async function openText(source: string, loading: Loading): Promise<ModelFiles> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) {
    const url = new URL(source);
    if (url.protocol !== 'file:') return openUrl(url);
    const node = nodeModule('url');
    if (node) return openText(node.fileURLToPath(url), loading);
  }
  if (settings.allowLocalModels) {
    const local = await openLocal(source);
    if (local) return local;
  }
  const page = (globalThis as { location?: { href: string } }).location?.href;
  if (page && /^\.{0,2}\//.test(source)) return openUrl(new URL(source, page));
  const id = /^([\w.-]+(?:\/[\w.-]+)?)(?::([\w.-]+))?$/.exec(source);
  if (!id || source.startsWith('.'))
    throw new TrustformersError(
      'not_found',
      `[model] expected ${nodeModule('fs') ? 'a folder, a file, ' : ''}a URL, files, or an id such as "org/name", got "${source}"`,
    );
  const repository = await openRepository(id[1]!, loading);
  return id[2] ? chosenGguf(repository, id[2]) : repository;
}

/** The files that a source means. In Node a text is the path of what is there, else an id. */
export async function openSource(source: ModelSource, loading: Loading): Promise<ModelFiles> {
  let files: ModelFiles;
  if (source instanceof URL) files = await openText(source.href, loading);
  else if (typeof source === 'string') files = await openText(source, loading);
  else if (typeof source === 'object' && source !== null) files = isModelFiles(source) ? source : new Given(source as GivenFiles);
  else throw new TrustformersError('invalid_argument', `[model] expected a name, a URL or files, got ${typeof source}`);
  return loading.subfolder ? subfolder(files, loading.subfolder) : files;
}
