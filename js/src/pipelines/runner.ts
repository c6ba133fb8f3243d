// Runs a task: here, or through messages in another thread (worker/client.ts).
import { EngineFiles } from '../files.js';
import { PreTrainedModel } from '../model.js';
import { takeLoading } from '../options.js';
import { currentEngine, init, report } from '../runtime/load.js';
import type { Report } from '../runtime/load.js';
import { openSource } from '../sources.js';
import type { ModelSource } from '../sources.js';
import { PreTrainedTokenizer } from '../tokenizer.js';
import type { TaskCall, TaskContext, TaskParts } from './task.js';
import { makeTask, taskNamed } from './tasks.js';

export interface Runner {
  /** Null where they are in another thread. */
  readonly parts: TaskParts | null;
  /** What is used of the machine in the thread of the model. */
  readonly report: Report;
  run(inputs: unknown, options: Record<string, unknown>, context: TaskContext): Promise<unknown>;
  dispose(): Promise<void>;
}

export class LocalRunner implements Runner {
  readonly report = report();
  private constructor(
    readonly parts: TaskParts,
    private readonly call: TaskCall,
  ) {}

  static async load(task: string, source: ModelSource, settings: Record<string, unknown>, deterministic: boolean): Promise<LocalRunner> {
    const { head, name } = taskNamed(task);
    const { loading, rest } = takeLoading(settings);
    const { model_file_name, ...options } = rest;
    await init({ deterministic, ...(loading.signal ? { signal: loading.signal } : {}) });
    const engine = currentEngine();
    const files = new EngineFiles(engine, await openSource(source, loading), loading);
    let tokenizer: PreTrainedTokenizer | null = null;
    try {
      await files.addTokenizer();
      if (name === 'sentence-similarity') await files.addSentenceModules();
      await files.addModel(model_file_name as string | undefined);
      tokenizer = new PreTrainedTokenizer(engine, engine.make('tf_tokenizer_from_files', files.address));
      const model = files.finishing(
        (watch) =>
          new PreTrainedModel(
            engine,
            engine.withArguments((a) => engine.make('tf_model_from_files', files.address, a.options({ task: head, exact_activations: true, ...options }), watch)),
          ),
      );
      const parts = { model, tokenizer };
      return new LocalRunner(parts, makeTask(task, parts, files.address));
    } catch (error) {
      tokenizer?.dispose();
      throw error;
    } finally {
      files.free();
    }
  }

  async run(inputs: unknown, options: Record<string, unknown>, context: TaskContext): Promise<unknown> {
    return this.call(inputs, options, context);
  }
  async dispose(): Promise<void> {
    this.call.dispose?.();
    this.parts.model.dispose();
    this.parts.tokenizer.dispose();
  }
}
