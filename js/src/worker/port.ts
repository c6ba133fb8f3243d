// Threads of browsers and of Node, behind one small face.
import { TrustformersError } from '../errors.js';
import { nodeModule, packageFile } from '../runtime/node.js';

export interface Port {
  post(message: unknown): void;
  /** While work is under way Node must not end. */
  hold(busy: boolean): void;
  end(): Promise<void>;
}
export interface PortEvents {
  message(data: unknown): void;
  /** The thread is no more. */
  failed(reason: string): void;
}

/** The worker's own file; written out, so that bundlers see it. */
function browserWorker(): Worker {
  if (/\/\.vite\/deps\//.test(import.meta.url))
    return new Worker(/* @vite-ignore */ new URL('../../trustformers-js/dist/worker.mjs', import.meta.url.replace(/[^/]*$/, '')), { type: 'module' });
  return new Worker(new URL('./worker.mjs', import.meta.url), { type: 'module' });
}

export function startWorker(events: PortEvents): Port {
  const threads = nodeModule('worker_threads');
  if (threads) {
    const worker = new threads.Worker(packageFile(new URL('./worker.mjs', import.meta.url), 'worker'));
    worker.on('message', (data) => events.message(data));
    worker.on('error', (error) => events.failed(String(error)));
    worker.on('exit', (code) => events.failed(`it ended with ${code}`));
    return {
      post: (message) => worker.postMessage(message),
      hold: (busy) => (busy ? worker.ref() : worker.unref()),
      end: async () => {
        await worker.terminate();
      },
    };
  }
  if (typeof Worker === 'undefined')
    throw new TrustformersError('unsupported', '[pipeline] there are no workers here: pass `worker: false`');
  const worker = browserWorker();
  worker.onmessage = (event) => events.message(event.data);
  worker.onerror = (event) => {
    event.preventDefault();
    events.failed(event.message || 'its file cannot be loaded');
  };
  return {
    post: (message) => worker.postMessage(message),
    hold: () => undefined,
    end: async () => worker.terminate(),
  };
}
