// Tasks that the engine does: inputs, options and results are JSON (docs/pipelines.md).
import { TrustformersError } from '../errors.js';
import { Resource } from '../lifetime.js';
import { takeOptions, throwIfAborted } from '../options.js';
import type { Engine } from '../runtime/engine.js';
import { pause } from '../runtime/pause.js';
import type { TaskCall, TaskContext, TaskParts } from './task.js';

type Options = Record<string, unknown>;
type Result = unknown;

/** The engine's pipeline. */
class EnginePipeline extends Resource {
  constructor(engine: Engine, task: string, { model, tokenizer }: TaskParts, files: number) {
    const made = engine.withArguments((a) => engine.make('tf_pipeline_create', a.text(task), tokenizer.handle, model.handle, files, 0));
    super(engine, made, 'tf_pipeline_free', 'pipeline');
  }
  run(inputs: unknown, options: Options): Result {
    const { engine, handle } = this;
    return JSON.parse(engine.withArguments((a) => engine.makeSizedText('tf_pipeline_run', handle, a.options(inputs as object), a.options(options), 0)));
  }
  stream(input: unknown, options: Options): PieceStream {
    const { engine, handle } = this;
    return new PieceStream(engine, engine.withArguments((a) => engine.make('tf_pipeline_stream_create', handle, a.options(input as object), a.options(options), 0)));
  }
}

/** A text piece by piece. */
class PieceStream extends Resource {
  private seen = 0;
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_pipeline_stream_free', 'stream');
  }
  /** The text of the next token, perhaps empty; null at the end. */
  next(): string | null {
    const { engine, handle } = this;
    return engine.withArguments((a) => {
      const out = a.space(16);
      engine.call('tf_pipeline_stream_next', handle, out, out + 8);
      const { view } = engine;
      return view.getInt32(out + 8, true) !== 0 ? null : engine.slice(view.getUint32(out, true), view.getUint32(out + 4, true));
    });
  }
  /** Those that came since the last call. */
  tokens(): number[] {
    const { engine, handle } = this;
    return engine.withArguments((a) => {
      const out = a.space(8);
      engine.call('tf_pipeline_stream_tokens', handle, out, out + 4);
      const { view } = engine;
      const [at, count] = [view.getUint32(out, true), view.getUint32(out + 4, true)];
      const fresh = Array.from({ length: count - this.seen }, (_, i) => Number(view.getBigInt64(at + 8 * (this.seen + i), true)));
      this.seen = count;
      return fresh;
    });
  }
  result(): Result {
    return JSON.parse(this.engine.makeSizedText('tf_pipeline_stream_result', this.handle));
  }
}

/** Where code points begin in a text. */
function codePointStarts(text: string): number[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at);
  starts.push(text.length);
  return starts;
}

/** The engine's spans count code points, JavaScript's UTF-16 units. */
function inUnits(result: Result, starts: readonly number[]): Result {
  if (Array.isArray(result)) return result.map((item) => inUnits(item, starts));
  const { start, end, ...rest } = result as { start?: number | null; end?: number | null };
  if (typeof start !== 'number' || typeof end !== 'number') return result;
  return { ...rest, start: starts[start], end: starts[end] };
}
const spansOf = (text: unknown, result: Result): Result => (typeof text === 'string' ? inUnits(result, codePointStarts(text)) : result);

interface Shape {
  /** Inputs of a list run one by one, each with the result that it has alone. */
  single?: boolean;
  /** The text that spans of a result count in. */
  spans?: (input: unknown, options: Options) => unknown;
}
/** What is special about some tasks. */
const shapes: Record<string, Shape> = {
  'fill-mask': { single: true },
  'question-answering': { single: true, spans: (input) => (input as { context?: unknown } | null)?.context },
  'token-classification': {
    spans: (input, { is_split_into_words, delimiter = ' ' }) =>
      is_split_into_words === true && Array.isArray(input) ? input.join(delimiter as string) : input,
  },
};

function isList(inputs: unknown, task: string, options: Options): inputs is unknown[] {
  if (!Array.isArray(inputs)) return false;
  const [first] = inputs as unknown[];
  if (task === 'token-classification' && options['is_split_into_words'] === true) return Array.isArray(first);
  // A list of messages is one chat.
  return !(task === 'text-generation' && typeof first === 'object' && first !== null && 'role' in first);
}

/** The longest first, so that what runs together is of like length. */
function byLength(list: readonly unknown[]): number[] {
  const lengths = list.map((input) => (typeof input === 'string' ? input : JSON.stringify(input ?? null)).length);
  return lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]!);
}

/** A task of that name above open parts; `files` is the folder in the engine's memory that they came from. */
export function engineTask(task: string, parts: TaskParts, files: number): TaskCall {
  const pipeline = new EnginePipeline(parts.model.engine, task, parts, files);
  const { single = false, spans } = shapes[task] ?? {};
  const writes = task === 'text-generation';

  const alone = (input: unknown, options: Options): Result => {
    const result = pipeline.run(input, options);
    return spans ? spansOf(spans(input, options), result) : result;
  };

  /** In batches, between which other work of this thread and a signal have their turn. */
  const all = async (inputs: unknown[], options: Options, { signal }: TaskContext): Promise<Result[]> => {
    const out = new Array<Result>(inputs.length);
    const order = byLength(inputs);
    const step = single ? 1 : ((options['batch_size'] as number | undefined) ?? 8);
    for (let at = 0; at < order.length; at += step) {
      throwIfAborted(signal, task);
      const rows = order.slice(at, at + step);
      const results = single ? [alone(inputs[rows[0]!], options)] : (pipeline.run(rows.map((row) => inputs[row]), options) as Result[]);
      rows.forEach((row, i) => (out[row] = spans && !single ? spansOf(spans(inputs[row], options), results[i]) : results[i]));
      await pause();
    }
    return out;
  };

  /** Token by token; null where the text is known only at its end. */
  const streamed = async (input: unknown, options: Options, { signal, emit }: TaskContext): Promise<Result | null> => {
    let stream: PieceStream;
    try {
      stream = pipeline.stream(input, options);
    } catch (error) {
      if (emit || !(error instanceof TrustformersError) || error.code !== 'unsupported') throw error;
      return null;
    }
    try {
      for (let piece = stream.next(); piece !== null; piece = stream.next()) {
        emit?.(piece, stream.tokens());
        await pause();
        throwIfAborted(signal, task);
      }
      emit?.('', stream.tokens());
      return stream.result();
    } finally {
      stream.dispose();
    }
  };

  const call: TaskCall = async (inputs, given, context) => {
    throwIfAborted(context.signal, task);
    const options = writes ? chatOptions(given) : given;
    if (isList(inputs, task, options)) {
      if (context.emit) throw new TrustformersError('invalid_argument', `[${task}] one input expected to stream, got a list`);
      if (!writes) return all(inputs, options, context);
      const out: Result[] = [];
      for (const input of inputs) out.push((await streamed(input, options, context)) ?? alone(input, options));
      return out;
    }
    const asksForTokens = writes || context.emit !== undefined || options['num_beams'] === 1;
    return (asksForTokens ? await streamed(inputs, options, context) : null) ?? alone(inputs, options);
  };
  call.dispose = () => pipeline.dispose();
  return call;
}

/** Our names for what Python's pipeline hands to the chat template. */
function chatOptions(given: Options): Options {
  const options = { ...given };
  const { chat_template, template_variables } = takeOptions(options, ['chat_template', 'template_variables']);
  if (chat_template === undefined && template_variables === undefined) return options;
  const { tokenizer_encode_kwargs } = takeOptions(options, ['tokenizer_encode_kwargs']);
  return {
    ...options,
    tokenizer_encode_kwargs: { ...(tokenizer_encode_kwargs as object | undefined), ...(template_variables as object | undefined), ...(chat_template === undefined ? {} : { chat_template }) },
  };
}
