/** Tasks from text to results, each one call; transformers.js' names. */
import { requireKernel } from '../backend.js';
import { Callable } from '../callable.js';
import { TrustformersError } from '../errors.js';
import { pythonic, takeOptions } from '../options.js';
import type { LoadingOptions } from '../options.js';
import type { ModelSource } from '../sources.js';
import { TextStreamer } from '../streamer.js';
import { WorkerRunner } from '../worker/client.js';
import type { Report } from '../runtime/load.js';
import type { Chat, Tasks, TextGenerationOptions } from './results.js';
import { LocalRunner } from './runner.js';
import type { Runner } from './runner.js';
import { taskNamed } from './tasks.js';
import type { TaskName } from './tasks.js';

export interface PipelineOptions extends LoadingOptions {
  /** In a thread of its own (true at first), so that this one stays free. */
  worker?: boolean;
  /** Threads for computing in that worker; one for each core at first. */
  threads?: number;
  modelFileName?: string;
  exactActivations?: boolean;
  /** Only instructions whose results do not depend on the machine. */
  deterministic?: boolean;
}

/** A task with its model. */
export class Pipeline extends Callable<[unknown, object?], Promise<unknown>> {
  readonly #runner: Runner;
  /** Only for this package: use pipeline(). */
  constructor(
    readonly task: TaskName,
    runner: Runner,
  ) {
    super();
    this.#runner = runner;
  }
  /** The model, where it runs in this thread. */
  get model() {
    return this.#runner.parts?.model ?? null;
  }
  get tokenizer() {
    return this.#runner.parts?.tokenizer ?? null;
  }

  /** What is used of the machine in the thread of the model: variant, threads, and why not more. */
  get report(): Report {
    return this.#runner.report;
  }

  protected override async invoke(inputs: unknown, options: object = {}): Promise<unknown> {
    requireKernel(this.task);
    const settings = pythonic(options);
    const { signal, streamer } = takeOptions(settings, ['signal', 'streamer']);
    const context = { signal: signal as AbortSignal | undefined };
    if (streamer === undefined || streamer === null) return this.#runner.run(inputs, settings, context);
    if (!(streamer instanceof TextStreamer))
      throw new TrustformersError('invalid_argument', `[${this.task}] expected streamer to be a TextStreamer`);
    const writesOn = this.task === 'text-generation';
    if (writesOn) settings['skip_special_tokens'] ??= streamer.skipSpecialTokens;
    if (writesOn && !streamer.skipPrompt && typeof inputs === 'string') streamer.push(inputs, []);
    const emit = (text: string, tokens: readonly number[]) => streamer.push(text, tokens);
    return this.#runner.run(inputs, settings, { ...context, emit }).finally(() => streamer.end());
  }

  /** New text as it comes: `for await (const text of generator.stream(prompt))`. Leaving the loop ends the work. */
  async *stream(inputs: string | Chat, options: TextGenerationOptions = {}): AsyncGenerator<string, void> {
    requireKernel(this.task);
    const settings = pythonic(options);
    const { signal } = takeOptions(settings, ['signal']);
    const left = new AbortController();
    const outer = signal as AbortSignal | undefined;
    const pass = () => left.abort(outer?.reason);
    if (outer?.aborted) pass();
    outer?.addEventListener('abort', pass);
    const pieces: string[] = [];
    let wake = () => {};
    let ended = false;
    let failure: unknown = null;
    const work = this.#runner
      .run(inputs, settings, { signal: left.signal, emit: (text) => (text !== '' && pieces.push(text), wake()) })
      .catch((error: unknown) => (failure = error))
      .finally(() => ((ended = true), wake()));
    try {
      for (;;) {
        while (pieces.length > 0) yield pieces.shift()!;
        if (ended) break;
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failure !== null) throw failure as Error;
    } finally {
      outer?.removeEventListener('abort', pass);
      left.abort();
      await work;
    }
  }

  /** Frees the model, and ends its thread. */
  async dispose(): Promise<void> {
    await this.#runner.dispose();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

export type PipelineFor<T extends TaskName> = Pipeline & (T extends keyof Tasks ? Tasks[T] : Tasks['translation']);

/**
 * A task with a model: a folder, URL, files or id (see ModelSource); without one the model that Hugging Face's
 * libraries take.
 */
export async function pipeline<T extends TaskName>(task: T, model?: ModelSource | null, options: PipelineOptions = {}): Promise<PipelineFor<T>> {
  const { name, usual, task: full } = taskNamed(task);
  const source = model ?? usual;
  const { worker, deterministic, threads, ...loading } = pythonic(options);
  const exact = deterministic === true;
  const runner =
    worker === false
      ? await LocalRunner.load(full, source, loading, exact)
      : await WorkerRunner.load(full, source, loading, exact, threads as number | undefined);
  (loading['progress_callback'] as ((info: object) => void) | undefined)?.({ status: 'ready', name: typeof source === 'string' ? source : task });
  return new Pipeline(name as TaskName, runner) as PipelineFor<T>;
}
