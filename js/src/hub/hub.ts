// Models of a hub, by their ids: what a repository has is asked once, files come from the cache or are fetched,
// verified and kept.
import { TrustformersError } from '../errors.js';
import { OpenedFile } from '../files.js';
import type { ListedFile, ModelFiles } from '../files.js';
import type { Loading } from '../options.js';
import { throwIfAborted } from '../options.js';
import { nodeModule, nodeProcess } from '../runtime/node.js';
import { settings } from '../settings.js';
import { BrowserStore } from './browser_store.js';
import { download, isFile, request } from './download.js';
import { NodeStore } from './node_store.js';
import { sha256 } from './sha256.js';
import type { FileKey, Listing, Store, StoreWriter } from './store.js';

interface ApiAnswer {
  sha?: string;
  siblings?: { rfilename: string; size?: number; blobId?: string; lfs?: { sha256: string; size: number } }[];
}

function storeFor(loading: Loading): Store | null {
  if (settings.customCache) return new BrowserStore();
  if (nodeProcess) return settings.useFSCache ? new NodeStore(loading.cacheDir ?? settings.cacheDir) : null;
  return settings.useBrowserCache ? new BrowserStore() : null;
}

async function tokenOf(loading: Loading): Promise<string | undefined> {
  if (loading.token !== undefined || !nodeProcess) return loading.token;
  const { env } = nodeProcess;
  if (env['HF_TOKEN']) return env['HF_TOKEN'];
  const file = env['HF_TOKEN_PATH'] ?? (env['HF_HOME'] ? nodeModule('path')!.join(env['HF_HOME'], 'token') : undefined);
  const text = file ? await nodeModule('fs')!.promises.readFile(file, 'utf8').catch(() => '') : '';
  return text.trim() || undefined;
}

/** The id of a file that Git keeps itself. */
async function gitId(bytes: Uint8Array): Promise<string> {
  const head = new TextEncoder().encode(`blob ${bytes.length}\0`);
  const all = new Uint8Array(head.length + bytes.length);
  all.set(head);
  all.set(bytes, head.length);
  const crypto = nodeModule('crypto');
  if (crypto) return crypto.createHash('sha1').update(all).digest('hex');
  const digest = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-1', all));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

class Repository implements ModelFiles {
  constructor(
    readonly name: string,
    private readonly host: string,
    private readonly revision: string,
    private readonly listing: Listing,
    private readonly store: Store | null,
    private readonly loading: Loading,
    private readonly headers: Record<string, string>,
  ) {}

  async list(): Promise<ListedFile[]> {
    return this.listing.files;
  }

  async open(name: string, signal?: AbortSignal): Promise<OpenedFile | null> {
    const file = this.listing.files.find((f) => f.name === name);
    if (!file) return null;
    const path = settings.remotePathTemplate.replace('{model}', this.name).replace('{revision}', this.listing.commit);
    const key: FileKey = {
      host: this.host,
      repo: this.name,
      revision: this.revision,
      commit: this.listing.commit,
      name,
      blob: file.blob,
      size: file.size,
      url: new URL(path + name.split('/').map(encodeURIComponent).join('/'), this.host).href,
    };
    const kept = await this.store?.find(key).catch(() => null);
    if (kept) return kept;
    if (this.loading.localFilesOnly || !settings.allowRemoteModels)
      throw new TrustformersError('not_found', `[hub] ${name} of ${this.name} is not in the cache, and fetching is not allowed`);
    return new OpenedFile(file.size, this.fetched(key, file.sha256, signal));
  }

  /** The bytes as they come, on their way into the cache. */
  private async *fetched(key: FileKey, expected: string | null, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
    // A cache that is full or broken costs the next download, not this one.
    let writer: StoreWriter | null = (await this.store?.begin(key).catch(() => null)) ?? null;
    const hash = expected ? sha256() : null;
    const whole: Uint8Array[] = [];
    const note = (chunk: Uint8Array) => (hash ? hash.update(chunk) : whole.push(chunk.slice()));
    let wrong = false;
    let done = false;
    try {
      let from = 0;
      if (writer?.partial)
        for await (const chunk of writer.partial.chunks) {
          note(chunk);
          from += chunk.length;
          yield chunk;
        }
      for await (const chunk of download({ url: key.url, headers: this.headers, signal }, key.size, from)) {
        note(chunk);
        if (writer)
          await writer.write(chunk).catch(async () => {
            const failed = writer;
            writer = null;
            await failed?.abandon(true).catch(() => undefined);
          });
        yield chunk;
      }
      const got = hash ? hash.digest() : /^[0-9a-f]{40}$/.test(key.blob) ? await gitId(await new OpenedFile(key.size, whole).bytes()) : key.blob;
      if (got !== (expected ?? key.blob)) {
        wrong = true;
        throw new TrustformersError('parse', `[hub] ${key.name} of ${this.name} has the hash ${got}, expected ${expected ?? key.blob}`);
      }
      done = true;
      await writer?.commit().catch(() => undefined);
    } finally {
      if (!done) await writer?.abandon(wrong).catch(() => undefined);
    }
  }
}

async function askHub(host: string, id: string, revision: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Listing> {
  const url = new URL(`api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`, host).href;
  const response = await request({ url, headers, signal });
  if (!(await isFile(response, url)))
    throw new TrustformersError('not_found', `[hub] ${host} has no model "${id}" with the revision "${revision}"`);
  const answer = (await response.json()) as ApiAnswer;
  if (typeof answer.sha !== 'string' || !Array.isArray(answer.siblings))
    throw new TrustformersError('parse', `[hub] ${url} did not answer with a list of files`);
  return {
    commit: answer.sha,
    files: answer.siblings.map(({ rfilename, size, blobId, lfs }) => ({
      name: rfilename,
      size: lfs?.size ?? size ?? 0,
      blob: lfs?.sha256 ?? blobId ?? `${answer.sha}-${encodeURIComponent(rfilename)}`,
      sha256: lfs?.sha256 ?? null,
    })),
  };
}

/** The repository of a hub with this id. */
export async function openRepository(id: string, loading: Loading): Promise<ModelFiles> {
  const host = settings.remoteHost.endsWith('/') ? settings.remoteHost : `${settings.remoteHost}/`;
  const revision = loading.revision ?? 'main';
  const store = storeFor(loading);
  const token = await tokenOf(loading);
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {};
  const kept = () => store?.recall(host, id, revision).catch(() => null) ?? null;
  let listing: Listing | null = null;
  if (loading.localFilesOnly || !settings.allowRemoteModels) {
    listing = await kept();
    if (!listing) throw new TrustformersError('not_found', `[hub] "${id}" is no folder and is not in the cache, and fetching is not allowed`);
  } else {
    try {
      listing = await askHub(host, id, revision, headers, loading.signal);
      await store?.remember(host, id, revision, listing).catch(() => undefined);
    } catch (error) {
      throwIfAborted(loading.signal, 'hub');
      // Without a connection what is in the cache still works.
      if (!(error instanceof TrustformersError) || error.code !== 'io') throw error;
      listing = await kept();
      if (!listing) throw error;
    }
  }
  return new Repository(id, host, revision, listing, store, loading, headers);
}
