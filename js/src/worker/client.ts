// A pipeline's side of its thread.
import { TrustformersError } from '../errors.js';
import type { TaskContext } from '../pipelines/task.js';
import type { Runner } from '../pipelines/runner.js';
import { throwIfAborted } from '../options.js';
import type { ProgressCallback } from '../options.js';
import { init } from '../runtime/load.js';
import type { Report } from '../runtime/load.js';
import { settings } from '../settings.js';
import type { ModelSource } from '../sources.js';
import { Tensor } from '../tensor.js';
import type { DType } from '../tensor.js';
import { startWorker } from './port.js';
import type { Port } from './port.js';
import { isSentTensor } from './protocol.js';
import type { Answer, Ask } from './protocol.js';

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  emit?: TaskContext['emit'];
  progress?: ProgressCallback | undefined;
}

type Message<A> = A extends unknown ? Omit<A, 'id'> : never;

export class WorkerRunner implements Runner {
  readonly parts = null;
  report!: Report;
  private readonly pending = new Map<number, Pending>();
  private readonly port: Port;
  private next = 1;
  private gone: TrustformersError | null = null;

  private constructor() {
    this.port = startWorker({
      message: (data) => this.take(data as Answer),
      failed: (reason) => {
        this.fail(new TrustformersError('worker_lost', `[worker] the pipeline's thread is gone: ${reason}`));
        void this.port.end();
      },
    });
    this.port.hold(false);
  }

  static async load(
    task: string,
    source: ModelSource,
    { signal, progress_callback, ...options }: Record<string, unknown>,
    deterministic: boolean,
    threads: number | undefined,
  ): Promise<WorkerRunner> {
    throwIfAborted(signal as AbortSignal | undefined, 'load');
    if (settings.fetch || settings.customCache)
      throw new TrustformersError('unsupported', '[pipeline] env.fetch and env.customCache are functions, which no worker can be given: pass `worker: false`');
    const plain = Object.fromEntries(Object.entries(settings).filter(([, value]) => typeof value !== 'function'));
    const runner = new WorkerRunner();
    const progress = progress_callback as ProgressCallback | undefined;
    try {
      const where = typeof source === 'object' && source instanceof URL ? source.href : source;
      runner.report = (await runner.ask(
        { kind: 'load', task, source: where, options, deterministic, threads, progress: progress !== undefined, settings: plain },
        { signal: signal as AbortSignal | undefined, progress },
      )) as Report;
      return runner;
    } catch (error) {
      await runner.dispose();
      throw error;
    }
  }

  private take(answer: Answer): void {
    const pending = this.pending.get(answer.id);
    if (!pending) return;
    switch (answer.kind) {
      case 'progress':
        return pending.progress?.(answer.info);
      case 'emit':
        return pending.emit?.(answer.text, answer.tokens);
      case 'done':
        return pending.resolve(answer.value);
      case 'failed':
        return pending.reject(new TrustformersError(answer.error.code, answer.error.message, answer.error.context));
    }
  }
  private fail(error: TrustformersError): void {
    this.gone ??= error;
    for (const pending of this.pending.values()) pending.reject(this.gone);
  }

  private async ask(message: Message<Ask>, context: TaskContext & { progress?: ProgressCallback | undefined }): Promise<unknown> {
    if (this.gone) throw this.gone;
    const { signal } = context;
    throwIfAborted(signal, 'pipeline');
    const id = this.next++;
    const cancel = () => this.port.post({ kind: 'cancel', id } satisfies Ask);
    signal?.addEventListener('abort', cancel);
    this.port.hold(true);
    try {
      return await new Promise((resolve, reject) => {
        this.pending.set(id, { resolve, reject, emit: context.emit, progress: context.progress });
        try {
          this.port.post({ ...message, id });
        } catch (error) {
          reject(new TrustformersError('invalid_argument', `[pipeline] this cannot be sent to a worker: ${String(error)}`));
        }
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.pending.delete(id);
      if (this.pending.size === 0) this.port.hold(false);
    }
  }

  async run(inputs: unknown, options: Record<string, unknown>, context: TaskContext): Promise<unknown> {
    const value = await this.ask({ kind: 'call', inputs, options, emit: context.emit !== undefined }, context);
    if (!isSentTensor(value)) return value;
    await init();
    return Tensor.fromArray(value.data, { shape: value.shape, dtype: value.dtype as DType });
  }

  async dispose(): Promise<void> {
    this.fail(new TrustformersError('disposed', '[pipeline] this pipeline was disposed'));
    await this.port.end();
  }
}
