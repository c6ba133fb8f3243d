// Options under both spellings: ours (maxNewTokens) and Python's (max_new_tokens), which the engine speaks.
import { TrustformersError } from './errors.js';

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Options in Python's spelling, without those that are undefined. A name given in both spellings is an error. */
export function pythonic(options: object): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const name = snakeCase(key);
    if (name in out) throw new TrustformersError('invalid_argument', `[options] "${key}" is given in two spellings`);
    out[name] = value;
  }
  return out;
}

/** Takes the named options out of a list, so that the rest can go on to where unknown ones are refused. */
export function takeOptions<K extends string>(options: Record<string, unknown>, names: readonly K[]): Partial<Record<K, unknown>> {
  const taken: Partial<Record<K, unknown>> = {};
  for (const name of names)
    if (name in options) {
      taken[name] = options[name];
      delete options[name];
    }
  return taken;
}

/** An object that answers to camelCase and snake_case alike. */
export function bothSpellings<T extends object>(values: Record<string, unknown>): T {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    out[camelCase(key)] = value;
    const snake = snakeCase(key);
    if (snake !== camelCase(key)) Object.defineProperty(out, snake, { value, enumerable: false });
  }
  return out as T;
}

/** Throws when a signal says so. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted)
    throw new TrustformersError('cancelled', `[${what}] cancelled`, [], { cause: signal.reason });
}

/** Refuses options that nobody took. */
export function refuseRest(rest: Record<string, unknown>, where: string): void {
  const [first] = Object.keys(rest);
  if (first !== undefined) throw new TrustformersError('invalid_argument', `[${where}] there is no option "${first}"`);
}

/** As transformers.js shapes it; `progress` is in per cent. Events with the status "progress_total" sum all files up. */
export interface ProgressInfo {
  status: 'initiate' | 'download' | 'progress' | 'progress_total' | 'done' | 'ready';
  name: string;
  file?: string;
  loaded?: number;
  total?: number;
  progress?: number;
}
export type ProgressCallback = (info: ProgressInfo) => void;

/** How files are found and fetched. */
export interface LoadingOptions {
  progressCallback?: ProgressCallback;
  signal?: AbortSignal;
  /** Of a repository: a branch, tag or commit; "main". */
  revision?: string;
  /** A folder inside the repository. */
  subfolder?: string;
  /** Sent to the hub, and only if given here (in Node HF_TOKEN counts as given). */
  token?: string;
  /** Instead of env.cacheDir. */
  cacheDir?: string;
  /** Never online. */
  localFilesOnly?: boolean;
  /** Only what this build has: "auto", "cpu" and "wasm" are the same. */
  device?: string;
  /** "auto": weights as they are stored. */
  dtype?: string;
}
export interface Loading {
  progress: ProgressCallback | undefined;
  signal: AbortSignal | undefined;
  revision: string | undefined;
  subfolder: string | undefined;
  token: string | undefined;
  cacheDir: string | undefined;
  localFilesOnly: boolean;
}

function oneOf(name: string, value: unknown, known: readonly string[]): void {
  if (value !== undefined && value !== null && !known.includes(value as string))
    throw new TrustformersError('unsupported', `[load] ${name} ${JSON.stringify(value)} is not supported; there are: ${known.join(', ')}`);
}

/** Takes the options of loading out of a list in Python's spelling. */
export function takeLoading(settings: Record<string, unknown>): { loading: Loading; rest: Record<string, unknown> } {
  const { progress_callback, signal, revision, subfolder, token, cache_dir, local_files_only, device, dtype, ...rest } = settings;
  oneOf('device', device, ['auto', 'cpu', 'wasm']);
  oneOf('dtype', dtype, ['auto']);
  return {
    loading: {
      progress: progress_callback as ProgressCallback | undefined,
      signal: signal as AbortSignal | undefined,
      revision: revision as string | undefined,
      subfolder: subfolder as string | undefined,
      token: token as string | undefined,
      cacheDir: cache_dir as string | undefined,
      localFilesOnly: local_files_only === true,
    },
    rest,
  };
}
