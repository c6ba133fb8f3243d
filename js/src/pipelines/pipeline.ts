/** Tasks from text to results, each one call; transformers.js' names. */
import { requireKernel } from '../backend.js';
import { Callable } from '../callable.js';
import { TrustformersError } from '../errors.js';
import { pythonic, takeOptions } from '../options.js';
import type { LoadingOptions } from '../options.js';
import type { ModelSource } from '../sources.js';
import { TextStreamer } from '../streamer.js';
import type { Tensor } from '../tensor.js';
import type { ChatMessage, ChatOptions } from '../tokenizer.js';
import type { GenerateOptions } from '../generation.js';
import type { TextClassification, TokenClassification } from './classification.js';
import type { FilledMask } from './fill_mask.js';
import type { Answer, Question } from './question_answering.js';
import { WorkerRunner } from '../worker/client.js';
import type { Report } from '../runtime/load.js';
import { LocalRunner } from './runner.js';
import type { Runner } from './runner.js';
import { taskNamed } from './tasks.js';
import type { TaskName } from './tasks.js';
import type { GeneratedText } from './text_generation.js';

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

interface Common {
  signal?: AbortSignal;
}
type Chat = readonly ChatMessage[];
export interface TextGenerationOptions extends GenerateOptions, ChatOptions, Common {
  returnFullText?: boolean;
  addSpecialTokens?: boolean;
  skipSpecialTokens?: boolean;
  /** Texts that end the answer; they are left out. */
  stopStrings?: string | readonly string[];
  streamer?: TextStreamer;
}

/** What each task takes and gives. */
export interface Tasks {
  'text-generation': {
    (input: string | Chat, options?: TextGenerationOptions): Promise<GeneratedText[]>;
    (input: readonly string[] | readonly Chat[], options?: TextGenerationOptions): Promise<GeneratedText[][]>;
  };
  'text2text-generation': Tasks['text-generation'];
  'text-classification': {
    (input: string | readonly string[], options?: { topK?: 1; functionToApply?: 'none' | 'sigmoid' | 'softmax' } & Common): Promise<TextClassification[]>;
    (input: string, options: { topK: number | null; functionToApply?: 'none' | 'sigmoid' | 'softmax' } & Common): Promise<TextClassification[]>;
    (input: readonly string[], options: { topK: number | null; functionToApply?: 'none' | 'sigmoid' | 'softmax' } & Common): Promise<TextClassification[][]>;
  };
  'sentiment-analysis': Tasks['text-classification'];
  'token-classification': {
    (input: string, options?: { ignoreLabels?: readonly string[]; aggregationStrategy?: 'none' | 'simple' } & Common): Promise<TokenClassification[]>;
    (input: readonly string[], options?: { ignoreLabels?: readonly string[]; aggregationStrategy?: 'none' | 'simple' } & Common): Promise<TokenClassification[][]>;
  };
  ner: Tasks['token-classification'];
  'fill-mask': {
    (input: string, options?: { topK?: number } & Common): Promise<FilledMask[] | FilledMask[][]>;
    (input: readonly string[], options?: { topK?: number } & Common): Promise<(FilledMask[] | FilledMask[][])[]>;
  };
  'question-answering': {
    (input: Question, options?: { topK?: 1; maxAnswerLen?: number; maxSeqLen?: number; docStride?: number } & Common): Promise<Answer>;
    (input: Question, options: { topK: number; maxAnswerLen?: number; maxSeqLen?: number; docStride?: number } & Common): Promise<Answer[]>;
    (input: readonly Question[], options?: { topK?: number; maxAnswerLen?: number; maxSeqLen?: number; docStride?: number } & Common): Promise<Answer[]>;
  };
  'feature-extraction': (
    input: string | readonly string[],
    options?: { pooling?: 'none' | 'mean' | 'cls' | 'last_token'; normalize?: boolean } & Common,
  ) => Promise<Tensor>;
  embeddings: Tasks['feature-extraction'];
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
    settings['skip_special_tokens'] ??= streamer.skipSpecialTokens;
    if (!streamer.skipPrompt && typeof inputs === 'string') streamer.push(inputs, []);
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

export type PipelineFor<T extends TaskName> = Pipeline & Tasks[T];

/**
 * A task with a model: a folder, URL, files or id (see ModelSource); without one the model that Hugging Face's
 * libraries take.
 */
export async function pipeline<T extends TaskName>(task: T, model?: ModelSource | null, options: PipelineOptions = {}): Promise<PipelineFor<T>> {
  const { name, usual } = taskNamed(task);
  const source = model ?? usual;
  const { worker, deterministic, threads, ...loading } = pythonic(options);
  const exact = deterministic === true;
  const runner =
    worker === false
      ? await LocalRunner.load(name, source, loading, exact)
      : await WorkerRunner.load(name, source, loading, exact, threads as number | undefined);
  (loading['progress_callback'] as ((info: object) => void) | undefined)?.({ status: 'ready', name: typeof source === 'string' ? source : task });
  return new Pipeline(name as TaskName, runner) as PipelineFor<T>;
}
