// Where fetched files are kept.
import type { OpenedFile } from '../files.js';

/** What a file of a repository is known by. */
export interface FileKey {
  host: string;
  repo: string;
  /** As asked for: "main". */
  revision: string;
  commit: string;
  name: string;
  /** The name of its contents: the SHA-256 of large files, Git's id of small ones. */
  blob: string;
  size: number;
  url: string;
}

export interface StoreWriter {
  /** What an earlier attempt left; it comes before what is written. */
  readonly partial: OpenedFile | null;
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the file visible, all at once. */
  commit(): Promise<void>;
  /** Gives up; bytes that are known to be wrong are not left to be resumed. */
  abandon(wrong: boolean): Promise<void>;
}

export interface Store {
  find(key: FileKey): Promise<OpenedFile | null>;
  begin(key: FileKey): Promise<StoreWriter>;
  /** What the hub said of a revision, for when it cannot be asked. */
  remember(host: string, repo: string, revision: string, listing: Listing): Promise<void>;
  recall(host: string, repo: string, revision: string): Promise<Listing | null>;
}

export interface Listing {
  commit: string;
  files: { name: string; size: number; blob: string; sha256: string | null }[];
}
