// Holds dist/ to its budget: at most 3 MB for each WebAssembly module and 100 KB for all JS of one format, of which a
// program loads what belongs to one module with threads. Prints the sizes, and the ten largest contributors of a module
// that is too large (from the linker's map beside it).
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const budget = { wasm: 3_000_000, mjs: 100_000, cjs: 100_000 };
const always = process.argv.includes('--contributors');

/** Bytes by object file, the largest first. */
export function contributors(map) {
  const sizes = new Map();
  for (const line of map.split('\n')) {
    const row = /^\s*[0-9a-f-]+\s+[0-9a-f]+\s+([0-9a-f]+)\s+(\S*?)([^/\s(]+\.o)\)?:\(/.exec(line);
    if (!row) continue;
    sizes.set(row[3], (sizes.get(row[3]) ?? 0) + parseInt(row[1], 16));
  }
  return [...sizes].sort((a, b) => b[1] - a[1]);
}

const files = readdirSync(dist).filter((name) => /\.(wasm|mjs|cjs)$/.test(name) && !name.includes('.d.'));
const totals = { mjs: 0, cjs: 0 };
let glue = 0;
let over = 0;
let checked = 0;
for (const name of files) {
  const bytes = statSync(join(dist, name)).size;
  const kind = name.slice(name.lastIndexOf('.') + 1);
  if (kind !== 'wasm') {
    if (name.endsWith('-threads.mjs')) glue = Math.max(glue, bytes);
    else totals[kind] += bytes;
    continue;
  }
  const packed = gzipSync(readFileSync(join(dist, name))).length;
  console.log(`${name}: ${bytes} bytes, ${packed} gzipped, at most ${budget.wasm}`);
  ++checked;
  const tooLarge = bytes > budget.wasm;
  over += tooLarge;
  const variant = name.replace(/^trustformers-(.*)\.wasm$/, '$1').replace(/^simd-/, '').replace(/^simd$/, 'plain');
  const map = join(root, '../build', `wasm-${variant}`, 'js/wasm', name.replace('.wasm', '.map'));
  if ((tooLarge || always) && existsSync(map))
    for (const [object, size] of contributors(readFileSync(map, 'utf8')).slice(0, 10)) console.log(`  ${String(size).padStart(8)} ${object}`);
}
totals.mjs += glue;
for (const kind of ['mjs', 'cjs']) {
  console.log(`.${kind}: ${totals[kind]} bytes, at most ${budget[kind]}`);
  ++checked;
  over += totals[kind] > budget[kind];
}
console.log(`${checked - over} passed, ${over} failed, 0 skipped`);
process.exit(over > 0 ? 1 : 0);
