// The thread of a pipeline: one model, asked by messages.
import { LocalRunner } from '../pipelines/runner.js';
import { init } from '../runtime/load.js';
import { nodeModule } from '../runtime/node.js';
import { settings } from '../settings.js';
import { Tensor } from '../tensor.js';
import { errorMessage } from './protocol.js';
import type { Answer, Ask, SentTensor } from './protocol.js';

interface Scope {
  postMessage(message: unknown): void;
  onmessage: ((event: { data: Ask }) => void) | null;
  navigator?: { hardwareConcurrency?: number };
}

const node = nodeModule('worker_threads')?.parentPort ?? null;
const scope = globalThis as unknown as Scope;
const post = (answer: Answer) => (node ? node.postMessage(answer) : scope.postMessage(answer));

let runner: LocalRunner | null = null;
const controllers = new Map<number, AbortController>();

/** A thread for each core, of which the first eight help. */
function usualThreads(): number {
  const cores = nodeModule('os')?.availableParallelism() ?? scope.navigator?.hardwareConcurrency ?? 1;
  return Math.max(1, Math.min(8, cores));
}

function sent(value: unknown): unknown {
  if (!(value instanceof Tensor)) return value;
  const out: SentTensor = { trustformersTensor: true, dtype: value.dtype, shape: value.shape(), data: value.data() };
  value.dispose();
  return out;
}

async function answer(ask: Exclude<Ask, { kind: 'cancel' }>, signal: AbortSignal): Promise<unknown> {
  const { id } = ask;
  if (ask.kind === 'load') {
    Object.assign(settings, ask.settings);
    await init({ deterministic: ask.deterministic, threads: ask.threads ?? usualThreads(), signal });
    const options: Record<string, unknown> = { ...ask.options, signal };
    if (ask.progress) options['progress_callback'] = (info: Extract<Answer, { kind: 'progress' }>['info']) => post({ kind: 'progress', id, info });
    runner = await LocalRunner.load(ask.task, ask.source, options, ask.deterministic);
    return runner.report;
  }
  const emit = ask.emit ? (text: string, tokens: readonly number[]) => post({ kind: 'emit', id, text, tokens }) : undefined;
  return sent(await runner!.run(ask.inputs, ask.options, { signal, emit }));
}

async function take(ask: Ask): Promise<void> {
  if (ask.kind === 'cancel') return controllers.get(ask.id)?.abort();
  const controller = new AbortController();
  controllers.set(ask.id, controller);
  try {
    post({ kind: 'done', id: ask.id, value: await answer(ask, controller.signal) });
  } catch (error) {
    post({ kind: 'failed', id: ask.id, error: errorMessage(error) });
  } finally {
    controllers.delete(ask.id);
  }
}

if (node) node.on('message', (ask: Ask) => void take(ask));
else scope.onmessage = (event) => void take(event.data);
