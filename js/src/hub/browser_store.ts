// Caches of browsers: the Cache API for small files, the origin's private file system (OPFS) for large ones, and
// IndexedDB where a page may use neither. A file shows up only when it is whole.
import { OpenedFile } from '../files.js';
import { settings } from '../settings.js';
import { chunksOf } from './download.js';
import type { FileKey, Listing, Store, StoreWriter } from './store.js';

const cacheName = 'trustformers';
/** From this size on a file goes to OPFS, which can keep what an interrupted download has brought. */
const large = 32 * 2 ** 20;

interface FileStore {
  find(key: FileKey): Promise<OpenedFile | null>;
  begin(key: FileKey): Promise<StoreWriter>;
}

/** Of the Cache API, or of the caller. */
class Caches implements FileStore {
  constructor(private readonly open: () => Promise<{ match(url: string): Promise<Response | undefined>; put(url: string, r: Response): Promise<void> }>) {}

  async match(url: string): Promise<Response | undefined> {
    return (await this.open()).match(url);
  }
  async find(key: FileKey): Promise<OpenedFile | null> {
    const response = await this.match(key.url);
    if (!response?.body || Number(response.headers.get('content-length')) !== key.size) return null;
    return new OpenedFile(key.size, chunksOf(response.body));
  }
  async begin(key: FileKey): Promise<StoreWriter> {
    const cache = await this.open();
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const headers = { 'content-length': String(key.size), 'content-type': 'application/octet-stream' };
    const writer = writable.getWriter();
    const done = cache.put(key.url, new Response(readable, { headers }));
    let failure: unknown = null;
    done.catch((error: unknown) => {
      failure = error;
      writer.abort(error).catch(() => undefined);
    });
    return {
      partial: null,
      async write(chunk) {
        if (failure) throw failure;
        await writer.write(chunk);
      },
      async commit() {
        await writer.close();
        await done;
      },
      async abandon() {
        await writer.abort(new Error('abandoned')).catch(() => undefined);
        await done.catch(() => undefined);
      },
    };
  }
}

class PrivateFiles implements FileStore {
  private async folder(): Promise<FileSystemDirectoryHandle> {
    const root = await navigator.storage.getDirectory();
    return root.getDirectoryHandle('trustformers', { create: true });
  }
  private async file(name: string): Promise<File | null> {
    const folder = await this.folder();
    const handle = await folder.getFileHandle(name).catch(() => null);
    return handle ? handle.getFile() : null;
  }

  async find(key: FileKey): Promise<OpenedFile | null> {
    const [file, whole] = await Promise.all([this.file(key.blob), this.file(`${key.blob}.whole`)]);
    return file && whole && file.size === key.size ? new OpenedFile(file.size, chunksOf(file.stream())) : null;
  }
  async begin(key: FileKey): Promise<StoreWriter> {
    const folder = await this.folder();
    const there = await this.file(key.blob);
    const size = there && there.size < key.size ? there.size : 0;
    const handle = await folder.getFileHandle(key.blob, { create: true });
    const stream = await handle.createWritable({ keepExistingData: size > 0 });
    await stream.seek(size);
    return {
      partial: size > 0 ? new OpenedFile(size, chunksOf(there!.stream())) : null,
      write: (chunk) => stream.write(chunk as Uint8Array<ArrayBuffer>),
      async commit() {
        await stream.close();
        await folder.getFileHandle(`${key.blob}.whole`, { create: true });
      },
      async abandon(wrong) {
        await stream.close();
        if (wrong) await folder.removeEntry(key.blob);
      },
    };
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed'));
  });
}

/** Chunks under [blob, number], and under [blob, -1] how many there are once all are. */
class Database implements FileStore {
  private opened: Promise<IDBDatabase> | null = null;
  private async table(mode: IDBTransactionMode): Promise<IDBObjectStore> {
    this.opened ??= (() => {
      const request = indexedDB.open(cacheName, 1);
      request.onupgradeneeded = () => request.result.createObjectStore('chunks');
      return settled(request);
    })();
    return (await this.opened).transaction('chunks', mode).objectStore('chunks');
  }
  private async get(key: IDBValidKey): Promise<unknown> {
    return settled((await this.table('readonly')).get(key));
  }

  async find(key: FileKey): Promise<OpenedFile | null> {
    const count = (await this.get([key.blob, -1])) as number | undefined;
    if (count === undefined) return null;
    const get = this.get.bind(this);
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < count!; ++i) yield (await get([key.blob, i])) as Uint8Array;
    }
    return new OpenedFile(key.size, chunks());
  }
  async begin(key: FileKey): Promise<StoreWriter> {
    let count = 0;
    const put = async (number: number, value: unknown) => {
      await settled((await this.table('readwrite')).put(value, [key.blob, number]));
    };
    return {
      partial: null,
      write: (chunk) => put(count++, chunk.slice()),
      commit: () => put(-1, count),
      abandon: async () => {
        await settled((await this.table('readwrite')).delete(IDBKeyRange.bound([key.blob, 0], [key.blob, count])));
      },
    };
  }
}

export class BrowserStore implements Store {
  private readonly database = new Database();
  private readonly files = new PrivateFiles();
  private readonly small: FileStore;
  constructor() {
    const own = settings.customCache;
    if (own) this.small = new Caches(async () => own);
    else if (typeof caches !== 'undefined') this.small = new Caches(() => caches.open(cacheName));
    else this.small = this.database;
  }
  private storeFor(key: FileKey): FileStore {
    if (settings.customCache || key.size < large) return this.small;
    return typeof navigator !== 'undefined' && typeof navigator.storage?.getDirectory === 'function' ? this.files : this.small;
  }

  find(key: FileKey): Promise<OpenedFile | null> {
    return this.storeFor(key).find(key);
  }
  begin(key: FileKey): Promise<StoreWriter> {
    return this.storeFor(key).begin(key);
  }

  private listingKey(host: string, repo: string, revision: string, size: number): FileKey {
    const url = `${host}listing/${repo}/${revision}`;
    return { host, repo, revision, commit: '', name: '', blob: url, size, url };
  }
  async remember(host: string, repo: string, revision: string, listing: Listing): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(listing));
    const writer = await this.small.begin(this.listingKey(host, repo, revision, bytes.length));
    await writer.write(bytes);
    await writer.commit();
  }
  async recall(host: string, repo: string, revision: string): Promise<Listing | null> {
    const { url } = this.listingKey(host, repo, revision, 0);
    const response = this.small instanceof Caches ? await this.small.match(url) : null;
    if (response) return JSON.parse(await response.text()) as Listing;
    const file = await this.database.find(this.listingKey(host, repo, revision, 0)).catch(() => null);
    if (!file) return null;
    const parts: Uint8Array[] = [];
    for await (const chunk of file.chunks) parts.push(chunk);
    return JSON.parse(await new Blob(parts as BlobPart[]).text()) as Listing;
  }
}
