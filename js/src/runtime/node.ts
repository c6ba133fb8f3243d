// Node's own modules, asked for at run time: an import would end up in bundles for browsers.

interface NodeProcess {
  versions?: { node?: string };
  env: Record<string, string | undefined>;
  pid: number;
  getBuiltinModule?: (name: string) => unknown;
}

export const nodeProcess: NodeProcess | null = (() => {
  const process = (globalThis as { process?: NodeProcess }).process;
  return process?.versions?.node && process.getBuiltinModule ? process : null;
})();

interface Modules {
  fs: typeof import('node:fs');
  path: typeof import('node:path');
  os: typeof import('node:os');
  url: typeof import('node:url');
  crypto: typeof import('node:crypto');
  worker_threads: typeof import('node:worker_threads');
}

/** A module of Node's, or null elsewhere. */
export function nodeModule<N extends keyof Modules>(name: N): Modules[N] | null {
  return nodeProcess ? (nodeProcess.getBuiltinModule!(`node:${name}`) as Modules[N]) : null;
}
