// Builds dist/: ESM and CommonJS by esbuild, types by tsc, and the WebAssembly modules beside them.
//   node scripts/build.mjs [--wasm FOLDER]   FOLDER holds build/wasm-*; default: ../build
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const wasmFolder = process.argv[2] === '--wasm' ? process.argv[3] : join(root, '..', 'build');
const entries = ['index', 'tensor', 'tokenizers', 'node', 'worker'];

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const modules = [
  ['plain', 'trustformers-simd.wasm'],
  ['relaxed', 'trustformers-relaxed.wasm'],
  ['threads', 'trustformers-simd-threads.wasm'],
  ['threads', 'trustformers-simd-threads.mjs'],
  ['relaxed-threads', 'trustformers-relaxed-threads.wasm'],
  ['relaxed-threads', 'trustformers-relaxed-threads.mjs'],
].map(([variant, name]) => ({ variant, name, from: join(wasmFolder, `wasm-${variant}`, 'js/wasm', name) }));

const common = {
  // Bundlers would look for files that are not there.
  define: { THREADS_BUILT: String(modules.every(({ name, from }) => !name.includes('threads') || existsSync(from))) },
  absWorkingDir: root,
  bundle: true,
  target: 'es2022',
  platform: 'neutral',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  sourcemap: false,
};
// Entries share their state (the loaded engine), so both formats are split into common pieces: ESM by esbuild itself,
// CommonJS by having its entries ask the one file.
await build({ ...common, format: 'esm', splitting: true, entryPoints: entries.map((e) => ({ in: e === 'worker' ? 'src/worker/worker.ts' : `src/${e}.ts`, out: e })), outdir: dist, outExtension: { '.js': '.mjs' } });
await build({
  ...common,
  format: 'cjs',
  platform: 'node',
  entryPoints: ['src/index.ts'],
  outfile: join(dist, 'index.cjs'),
  define: { ...common.define, 'import.meta.url': 'importMetaUrl' },
  banner: { js: 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;' },
});
// A worker is always a module.
for (const entry of entries.slice(1, -1)) writeFileSync(join(dist, `${entry}.cjs`), `module.exports=require("./index.cjs");\n`);

// Bundlers must leave the one import of an address alone; the comments that tell them so do not survive minifying.
for (const name of readdirSync(dist)) {
  if (!/\.(mjs|cjs)$/.test(name)) continue;
  const text = readFileSync(join(dist, name), 'utf8');
  const told = text.replace(/\bimport\((\w+\.href)\)/g, 'import(/*webpackIgnore:true*//*@vite-ignore*/$1)');
  if (told !== text) writeFileSync(join(dist, name), told);
}

// Types once, under both extensions.
const types = join(dist, 'types');
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit', 'false', '--emitDeclarationOnly', '--outDir', types], {
  cwd: root,
  stdio: 'inherit',
});
function addTypes(folder, at) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const from = join(folder, entry.name);
    if (entry.isDirectory()) {
      mkdirSync(join(at, entry.name), { recursive: true });
      addTypes(from, join(at, entry.name));
      continue;
    }
    const text = readFileSync(from, 'utf8');
    for (const kind of ['mts', 'cts']) {
      const js = kind === 'mts' ? 'mjs' : 'cjs';
      writeFileSync(join(at, entry.name.replace(/\.d\.ts$/, `.d.${kind}`)), text.replace(/(['"])(\.{1,2}\/[^'"]*)\.js\1/g, `$1$2.${js}$1`));
    }
  }
}
addTypes(types, dist);
rmSync(types, { recursive: true });

// The modules, and for those with threads the JS that Emscripten made, which it leaves half as large as it can be.
for (const { variant, name, from } of modules) {
  if (!existsSync(from)) {
    if (!variant.includes('threads')) console.error(`build: ${from} is not there: ./dev wasm ${variant}`);
  } else if (name.endsWith('.mjs')) {
    // Its threads run the file itself, whatever a bundler has named it.
    const text = readFileSync(from, 'utf8');
    const contents = text.replace(`new URL("${name}",import.meta.url)`, 'new URL(import.meta.url)');
    if (contents === text) throw new Error(`build: ${from} does not start its threads as expected`);
    await build({ absWorkingDir: root, stdin: { contents, resolveDir: dist }, outfile: join(dist, name), format: 'esm', platform: 'neutral', target: 'es2022', minify: true, legalComments: 'none', logLevel: 'error' });
  } else {
    copyFileSync(from, join(dist, name));
  }
}
