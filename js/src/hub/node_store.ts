// The cache that Hugging Face's libraries share: models--org--name/{blobs, refs, snapshots/<commit>}.
import { OpenedFile } from '../files.js';
import { nodeModule, nodeProcess } from '../runtime/node.js';
import type { FileKey, Listing, Store, StoreWriter } from './store.js';

type Fs = typeof import('node:fs');
type Path = typeof import('node:path');

function alive(pid: number): boolean {
  try {
    (nodeProcess as unknown as NodeJS.Process).kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

let attempt = 0;
const active = new Set<string>();

export function openFile(fs: Fs, file: string, size: number): OpenedFile {
  return new OpenedFile(size, fs.createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Uint8Array>);
}

export class NodeStore implements Store {
  private readonly fs: Fs = nodeModule('fs')!;
  private readonly path: Path = nodeModule('path')!;
  constructor(private readonly root: string) {}

  private folder(repo: string): string {
    return this.path.join(this.root, `models--${repo.replaceAll('/', '--')}`);
  }
  private snapshot(key: FileKey): string {
    return this.path.join(this.folder(key.repo), 'snapshots', key.commit, key.name);
  }

  async find(key: FileKey): Promise<OpenedFile | null> {
    const file = this.snapshot(key);
    const stats = await this.fs.promises.stat(file).catch(() => null);
    return stats?.isFile() && stats.size === key.size ? openFile(this.fs, file, stats.size) : null;
  }

  async begin(key: FileKey): Promise<StoreWriter> {
    const { fs, path } = this;
    const blobs = path.join(this.folder(key.repo), 'blobs');
    await fs.promises.mkdir(blobs, { recursive: true });
    const mine = path.join(blobs, `${key.blob}.${nodeProcess!.pid}-${++attempt}.incomplete`);
    active.add(mine);
    // What a process left that is no more is taken over by renaming it, which only one can.
    for (const name of await fs.promises.readdir(blobs)) {
      const left = new RegExp(`^${key.blob}\\.(\\d+)-\\d+\\.incomplete$`).exec(name);
      if (!left || active.has(path.join(blobs, name))) continue;
      const pid = Number(left[1]);
      if (pid !== nodeProcess!.pid && alive(pid)) continue;
      if (await fs.promises.rename(path.join(blobs, name), mine).then(() => true, () => false)) break;
    }
    const there = await fs.promises.stat(mine).catch(() => null);
    if (there && there.size > key.size) await fs.promises.truncate(mine, 0);
    const size = there && there.size <= key.size ? there.size : 0;
    const handle = await fs.promises.open(mine, 'a');
    return {
      partial: size > 0 ? openFile(fs, mine, size) : null,
      write: async (chunk) => {
        await handle.write(chunk);
      },
      commit: async () => {
        await handle.close();
        active.delete(mine);
        await fs.promises.rename(mine, path.join(blobs, key.blob));
        await this.link(key);
      },
      abandon: async (wrong) => {
        await handle.close();
        active.delete(mine);
        if (wrong) await fs.promises.rm(mine, { force: true });
      },
    };
  }

  private async link(key: FileKey): Promise<void> {
    const { fs, path } = this;
    const file = this.snapshot(key);
    const blob = path.join(this.folder(key.repo), 'blobs', key.blob);
    await fs.promises.mkdir(path.dirname(file), { recursive: true });
    await fs.promises.rm(file, { force: true });
    // Where links are not allowed the file itself goes there, as Hugging Face's library does.
    await fs.promises.symlink(path.relative(path.dirname(file), blob), file).catch(() => fs.promises.rename(blob, file));
  }

  async remember(_host: string, repo: string, revision: string, listing: Listing): Promise<void> {
    if (revision === listing.commit) return;
    const file = this.path.join(this.folder(repo), 'refs', revision);
    await this.fs.promises.mkdir(this.path.dirname(file), { recursive: true });
    await this.fs.promises.writeFile(file, listing.commit);
  }

  /** The files of a snapshot that are there. */
  async recall(_host: string, repo: string, revision: string): Promise<Listing | null> {
    const { fs, path } = this;
    const ref = await fs.promises.readFile(path.join(this.folder(repo), 'refs', revision), 'utf8').catch(() => null);
    const commit = ref?.trim() ?? revision;
    const root = path.join(this.folder(repo), 'snapshots', commit);
    const files: Listing['files'] = [];
    const walk = async (folder: string): Promise<boolean> => {
      const names = await fs.promises.readdir(path.join(root, folder)).catch(() => null);
      if (!names) return false;
      for (const name of names) {
        const inside = folder ? `${folder}/${name}` : name;
        const stats = await fs.promises.stat(path.join(root, inside)).catch(() => null);
        if (stats?.isDirectory()) await walk(inside);
        else if (stats) files.push({ name: inside, size: stats.size, blob: '', sha256: null });
      }
      return true;
    };
    return (await walk('')) ? { commit, files } : null;
  }
}
