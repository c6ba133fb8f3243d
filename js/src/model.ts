/** Models, under Hugging Face's names. */
import { requireKernel } from './backend.js';
import { TrustformersError } from './errors.js';
import { EngineFiles } from './files.js';
import { Generation } from './generation.js';
import type { GenerateOptions } from './generation.js';
import { CallableResource, Resource, tidy } from './lifetime.js';
import { bothSpellings, pythonic, refuseRest, takeLoading, takeOptions } from './options.js';
import type { LoadingOptions } from './options.js';
import { pause } from './runtime/pause.js';
import type { Arguments, Engine } from './runtime/engine.js';
import { currentEngine, init } from './runtime/load.js';
import { openSource } from './sources.js';
import type { ModelSource } from './sources.js';
import { Tensor } from './tensor.js';
import type { PreTrainedTokenizer } from './tokenizer.js';
import { wrapTensor } from './tensor/op.js';

export interface LoadModelOptions extends LoadingOptions {
  /** "BertForMaskedLM": a class by its name. */
  className?: string;
  /** Parameters that can be trained: in float32, and none packed for speed. */
  trainable?: boolean;
  /** Products with quantised weights in full precision (true at first); false is faster and coarser. */
  exactActivations?: boolean;
  /** Which file of weights, where there are several: "model.Q4_K_M.gguf". */
  modelFileName?: string;
}

export interface ForwardOptions {
  outputHiddenStates?: boolean;
  /** How many positions at the end get logits; 0: all. */
  logitsToKeep?: number;
  labelSmoothing?: number;
}

/** Inputs under Hugging Face's names, in either spelling: inputIds or input_ids, attentionMask, tokenTypeIds, labels, … */
export type ModelInputs = Record<string, Tensor | null | undefined>;

/** What a model gives; which of them depends on the model. Also under Python's names (last_hidden_state, …). */
export interface ModelOutput {
  lastHiddenState?: Tensor;
  poolerOutput?: Tensor;
  logits?: Tensor;
  startLogits?: Tensor;
  endLogits?: Tensor;
  loss?: Tensor;
  hiddenStates?: Tensor[];
  encoderLastHiddenState?: Tensor;
  [name: string]: Tensor | Tensor[] | undefined;
}

/** What config.json says. */
export type PretrainedConfig = Record<string, unknown>;

interface ModelInfo {
  class_name: string;
  model_type: string;
  parameters: number;
  can_generate: boolean;
  is_encoder_decoder: boolean;
  config: PretrainedConfig;
  generation_config: Record<string, unknown> | null;
}

export interface PreTrainedModel {
  (inputs: Tensor | ModelInputs, options?: ForwardOptions): Promise<ModelOutput>;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- a model is called like a function
export class PreTrainedModel extends CallableResource<[Tensor | ModelInputs, ForwardOptions?], Promise<ModelOutput>> {
  readonly #info: ModelInfo;

  /** Only for this package: use AutoModel. */
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_model_free', 'model');
    this.#info = JSON.parse(engine.makeText('tf_model_info', address)) as ModelInfo;
  }

  get className(): string {
    return this.#info.class_name;
  }
  get modelType(): string {
    return this.#info.model_type;
  }
  get config(): PretrainedConfig {
    return this.#info.config;
  }
  get generationConfig(): Record<string, unknown> {
    return this.#info.generation_config ?? {};
  }
  get canGenerate(): boolean {
    return this.#info.can_generate;
  }
  get isEncoderDecoder(): boolean {
    return this.#info.is_encoder_decoder;
  }
  numParameters(): number {
    return this.#info.parameters;
  }
  /** The memory of the parameters, in units of 2^20 bytes. */
  sizeInMB(): number {
    let bytes = 0;
    tidy(() => {
      for (const [, parameter] of this.parameters()) bytes += parameter.nbytes;
    });
    return bytes / 2 ** 20;
  }
  /** Parameters by their names in checkpoints; the tensors are views, and the caller's to dispose. */
  *parameters(): Generator<[string, Tensor]> {
    const { engine, handle } = this;
    const count = engine.raw('tf_model_parameter_count', handle);
    for (let i = 0; i < count; ++i)
      yield engine.withArguments((a): [string, Tensor] => {
        const name = a.space(4);
        const tensor = wrapTensor(engine, engine.make('tf_model_parameter', handle, i, name));
        return [engine.text(engine.view.getUint32(name, true)), tensor];
      });
  }

  protected override invoke(inputs: Tensor | ModelInputs, options?: ForwardOptions): Promise<ModelOutput> {
    return this.forward(inputs, options);
  }
  /** Runs the model. The tensors of the output are the caller's to dispose. */
  async forward(inputs: Tensor | ModelInputs, options: ForwardOptions = {}): Promise<ModelOutput> {
    return this.forwardSync(inputs, options);
  }
  /** The same at once, for tidy(). */
  forwardSync(inputs: Tensor | ModelInputs, options: ForwardOptions = {}): ModelOutput {
    return this.#run('tf_model_forward', inputs, options);
  }
  /** The encoder of an encoder-decoder alone. */
  async encode(inputs: Tensor | ModelInputs, options: ForwardOptions = {}): Promise<ModelOutput> {
    return this.#run('tf_model_encode', inputs, options);
  }

  #run(name: string, inputs: Tensor | ModelInputs, options: ForwardOptions): ModelOutput {
    requireKernel('forward');
    const { engine, handle } = this;
    const settings = pythonic(options);
    const outputs = engine.withArguments((a) => {
      const [list, count] = namedTensors(a, inputs);
      return engine.make(name, handle, list, count, a.options(settings));
    });
    try {
      const found: Record<string, Tensor | Tensor[]> = {};
      const total = engine.raw('tf_outputs_count', outputs);
      for (let i = 0; i < total; ++i) {
        const at = engine.raw('tf_outputs_name', outputs, i);
        const key = engine.text(at);
        const tensor = wrapTensor(engine, engine.make('tf_outputs_tensor', outputs, at));
        const dot = key.indexOf('.');
        if (dot < 0) found[key] = tensor;
        else ((found[key.slice(0, dot)] ??= []) as Tensor[]).push(tensor);
      }
      return bothSpellings<ModelOutput>(found);
    } finally {
      engine.raw('tf_outputs_free', outputs);
    }
  }

  /** Starts a generation that is pulled step by step; it must be disposed. */
  startGeneration(inputs: Tensor | ModelInputs, options: GenerateOptions = {}, session?: GenerationSession): Generation {
    requireKernel('generate');
    const { engine, handle } = this;
    const settings = pythonic(options);
    const { tokenizer } = takeOptions(settings, ['tokenizer']);
    if (tokenizer !== undefined) engine.call('tf_model_set_tokenizer', handle, (tokenizer as PreTrainedTokenizer).handle);
    return new Generation(
      engine,
      engine.withArguments((a) => {
        const [list, count] = namedTensors(a, inputs);
        return engine.make('tf_generation_create', handle, session?.handle ?? 0, list, count, a.options(settings), 0);
      }),
    );
  }

  /** Ids of prompts and new tokens, int64 [B, L + N]; of an encoder-decoder its decoder's ids. */
  async generate(
    inputs: Tensor | ModelInputs,
    options: GenerateOptions & { signal?: AbortSignal; streamer?: TokenStreamer } = {},
  ): Promise<Tensor> {
    const { signal, streamer, ...settings } = options;
    const generation = this.startGeneration(inputs, settings);
    try {
      for (let tokens = generation.step(signal); tokens; tokens = generation.step(signal)) {
        streamer?.put(tokens);
        await pause();
      }
      streamer?.end();
      return generation.sequences();
    } finally {
      generation.dispose();
    }
  }
  /** The new tokens as they come, one number a row. */
  async *stream(inputs: Tensor | ModelInputs, options: GenerateOptions & { signal?: AbortSignal } = {}): AsyncGenerator<number[], void> {
    const { signal, ...settings } = options;
    const generation = this.startGeneration(inputs, settings);
    try {
      for (let tokens = generation.step(signal); tokens; tokens = generation.step(signal)) {
        yield tokens;
        await pause();
      }
    } finally {
      generation.dispose();
    }
  }
  /** Remembers what the model has read, so that a conversation that goes on is read only once. */
  createSession(): GenerationSession {
    const { engine, handle } = this;
    return new GenerationSession(engine, engine.make('tf_session_create', handle));
  }
}

/** See PreTrainedModel.createSession(). */
export class GenerationSession extends Resource {
  /** Only for this package. */
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_session_free', 'session');
  }
}

/** Takes tokens as they come. */
export interface TokenStreamer {
  put(tokens: readonly number[]): void;
  end(): void;
}

/** tf_named_tensor[]. */
function namedTensors(a: Arguments, inputs: Tensor | ModelInputs): [number, number] {
  if (inputs === null || typeof inputs !== 'object')
    throw new TrustformersError('invalid_argument', `[forward] expected a tensor or named tensors, got ${inputs === null ? 'null' : typeof inputs}`);
  const named = inputs instanceof Tensor ? { input_ids: inputs } : pythonic(inputs);
  const rows: number[] = [];
  for (const [name, tensor] of Object.entries(named)) {
    if (tensor === null) continue;
    if (!(tensor instanceof Tensor))
      throw new TrustformersError('invalid_argument', `[forward] expected "${name}" to be a tensor, got ${typeof tensor}`);
    rows.push(a.text(name), tensor.handle);
  }
  return [a.addresses(rows), rows.length / 2];
}

/** A model from its files, for the class or task that `extra` says. */
export async function loadModel(source: ModelSource, options: LoadModelOptions, extra: Record<string, unknown>): Promise<PreTrainedModel> {
  const { loading, rest } = takeLoading(pythonic(options));
  const { model_file_name, config, ...settings } = rest;
  if (config !== undefined) throw new TrustformersError('unsupported', '[load] a config beside the model is not supported: put it into config.json');
  await init(loading.signal ? { signal: loading.signal } : {});
  const engine = currentEngine();
  const files = new EngineFiles(engine, await openSource(source, loading), loading);
  try {
    await files.addModel(model_file_name as string | undefined);
    return files.finishing(
      (watch) =>
        new PreTrainedModel(
          engine,
          engine.withArguments((a) => engine.make('tf_model_from_files', files.address, a.options({ exact_activations: true, ...extra, ...settings }), watch)),
        ),
    );
  } finally {
    files.free();
  }
}

/** Loads models for one task. */
export interface ModelLoader {
  fromPretrained(source: ModelSource, options?: LoadModelOptions): Promise<PreTrainedModel>;
  from_pretrained(source: ModelSource, options?: LoadModelOptions): Promise<PreTrainedModel>;
  /** With fresh weights, which the seed decides, for a config in the words of config.json. */
  fromConfig(config: PretrainedConfig, options?: { seed?: number; className?: string; trainable?: boolean }): Promise<PreTrainedModel>;
}

function loaderOf(task: string): ModelLoader {
  const fromPretrained = (source: ModelSource, options: LoadModelOptions = {}) => loadModel(source, options, { task });
  return {
    fromPretrained,
    from_pretrained: fromPretrained,
    async fromConfig(config, options = {}) {
      await init();
      const engine = currentEngine();
      const settings = pythonic(options);
      const { seed } = takeOptions(settings, ['seed']);
      return new PreTrainedModel(
        engine,
        engine.withArguments((a) =>
          engine.make('tf_model_from_config', a.text(JSON.stringify(config)), BigInt((seed as number | undefined) ?? 0), a.options({ task, ...settings })),
        ),
      );
    },
  };
}

export const AutoModel = loaderOf('base');
export const AutoModelForCausalLM = loaderOf('causal_lm');
export const AutoModelForSeq2SeqLM = loaderOf('seq2seq_lm');
export const AutoModelForMaskedLM = loaderOf('masked_lm');
export const AutoModelForSequenceClassification = loaderOf('sequence_classification');
export const AutoModelForTokenClassification = loaderOf('token_classification');
export const AutoModelForQuestionAnswering = loaderOf('question_answering');
export const AutoModelForMultipleChoice = loaderOf('multiple_choice');
export const AutoModelForNextSentencePrediction = loaderOf('next_sentence_prediction');
export const AutoModelForPreTraining = loaderOf('pretraining');

/** What config.json of a model says. */
async function configOf(source: ModelSource, options: LoadingOptions = {}): Promise<PretrainedConfig> {
  const { loading, rest } = takeLoading(pythonic(options));
  refuseRest(rest, 'config');
  const files = await openSource(source, loading);
  const file = await files.open('config.json', loading.signal);
  if (!file) throw new TrustformersError('not_found', `[config] ${files.name} has no config.json`);
  return JSON.parse(await file.text()) as PretrainedConfig;
}
export const AutoConfig = { fromPretrained: configOf, from_pretrained: configOf };

