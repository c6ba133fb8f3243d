// Node's own modules, asked for at run time: an import would end up in bundles for browsers.

interface NodeProcess {
  versions?: { node?: string };
  env: Record<string, string | undefined>;
  pid: number;
  cwd(): string;
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
  module: typeof import('node:module');
  worker_threads: typeof import('node:worker_threads');
}

/** A module of Node's, or null elsewhere. */
export function nodeModule<N extends keyof Modules>(name: N): Modules[N] | null {
  return nodeProcess ? (nodeProcess.getBuiltinModule!(`node:${name}`) as Modules[N]) : null;
}

/**
 * The path of a file of this package, which lies at `url` and is exported as `name`. Bundlers for servers put the JS
 * elsewhere and make a URL of pages of its name: then it is found as the program would find it.
 */
export function packageFile(url: URL, name: string): string {
  if (url.href.startsWith('file:')) {
    const path = nodeModule('url')!.fileURLToPath(url.href);
    if (nodeModule('fs')!.existsSync(path)) return path;
  }
  const program = nodeModule('path')!.join(nodeProcess!.cwd(), 'package.json');
  return nodeModule('module')!.createRequire(program).resolve(`trustformers-js/${name}`);
}
