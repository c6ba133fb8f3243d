// The documentation's programs, as printed, in a project of their own, against a server that imitates the hub. Each must
// end by itself.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as lib from '../dist/index.mjs';
import { startHub } from './suites/hub_server.mjs';
import { tinyModels } from './suites/tiny_models.mjs';

const hub = await startHub(await tinyModels(lib));
const project = mkdtempSync(join(tmpdir(), 'trustformers-project-'));
mkdirSync(join(project, 'node_modules'));
symlinkSync(fileURLToPath(new URL('..', import.meta.url)), join(project, 'node_modules/trustformers-js'));
cpSync(fileURLToPath(new URL('snippets', import.meta.url)), project, { recursive: true });
afterAll(async () => {
  await hub.close();
  rmSync(project, { recursive: true, force: true });
});

async function run(file) {
  const env = { ...process.env, HF_ENDPOINT: hub.url, HF_HOME: join(project, 'cache') };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: project, env, timeout: 120_000 });
  return stdout.trim();
}

test('tensors', async () => expect(await run('tensors.mjs')).toBe('[ 2, 2 ]'), 150_000);
test('models', async () => expect(await run('models.mjs')).toMatch(/^\[ 1, \d+, 768 \]$/), 150_000);
test('pipelines', async () => {
  const { result, text, answer } = JSON.parse(await run('pipelines.mjs'));
  expect(result[0].label).toMatch(/POSITIVE|NEGATIVE/);
  expect(text[0].generated_text).toMatch(/^Once upon a time/);
  expect('WebAssembly is a binary instruction format...').toContain(answer.answer);
}, 150_000);
test('CommonJS', async () => expect(await run('generate.cjs')).toContain("generated_text: 'The future of AI is"), 150_000);
