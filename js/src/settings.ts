import { nodeModule, nodeProcess } from './runtime/node.js';

/** A cache of the caller's own, with the two methods of the Cache API. */
export interface CustomCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** Where models come from and where they are kept; transformers.js' names. */
export interface Settings {
  /** Whether models may be fetched at all. */
  allowRemoteModels: boolean;
  /** Whether a name may mean a folder: under localModelPath in browsers, anywhere in Node. */
  allowLocalModels: boolean;
  localModelPath: string;
  remoteHost: string;
  /** Of a file's folder on the host. */
  remotePathTemplate: string;
  /** In Node: of the layout that Hugging Face's libraries share. */
  cacheDir: string;
  useFSCache: boolean;
  useBrowserCache: boolean;
  customCache: CustomCache | null;
  /** What fetches; the global one at first. */
  fetch: typeof fetch | null;
}

function defaultCacheDir(): string {
  const path = nodeModule('path');
  const os = nodeModule('os');
  if (!nodeProcess || !path || !os) return '';
  const { env } = nodeProcess;
  if (env['HF_HUB_CACHE']) return env['HF_HUB_CACHE'];
  const home = env['HF_HOME'] ?? path.join(env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache'), 'huggingface');
  return path.join(home, 'hub');
}

export const settings: Settings = {
  allowRemoteModels: nodeProcess?.env['HF_HUB_OFFLINE'] !== '1',
  allowLocalModels: nodeProcess !== null,
  localModelPath: nodeProcess ? './models/' : '/models/',
  remoteHost: nodeProcess?.env['HF_ENDPOINT'] ?? 'https://huggingface.co/',
  remotePathTemplate: '{model}/resolve/{revision}/',
  cacheDir: defaultCacheDir(),
  useFSCache: nodeProcess !== null,
  useBrowserCache: nodeProcess === null,
  customCache: null,
  fetch: null,
};
