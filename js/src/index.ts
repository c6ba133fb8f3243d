/** trustformers-js: transformers in Node and in the browser. */
export { TrustformersError } from './errors.js';
export type { ErrorCode } from './errors.js';
export { setBackend } from './backend.js';
export type { Backend } from './backend.js';
export { init, init as default } from './runtime/load.js';
export type { InitOptions, Report } from './runtime/load.js';
export { keep, manualSeed, noGrad, Tensor, tidy } from './tensor.js';
export type { Dims, DType, NestedArray, RandomOptions, TensorLike, TensorOptions, TypedArray } from './tensor.js';
export { AutoTokenizer, PreTrainedTokenizer, TextStream } from './tokenizer.js';
export type { BatchEncoding, ChatMessage, ChatOptions, EncodedRow, EncodeOptions, TokenizerInfo } from './tokenizer.js';
export {
  AutoConfig,
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForNextSentencePrediction,
  AutoModelForPreTraining,
  AutoModelForQuestionAnswering,
  AutoModelForSeq2SeqLM,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  GenerationSession,
  PreTrainedModel,
} from './model.js';
export type { ForwardOptions, LoadModelOptions, ModelInputs, ModelLoader, ModelOutput, PretrainedConfig, TokenStreamer } from './model.js';
export { Generation } from './generation.js';
export type { GenerateOptions, GenerationStats } from './generation.js';
export { TextStreamer } from './streamer.js';
export type { TextStreamerOptions } from './streamer.js';
export { Pipeline, pipeline } from './pipelines/pipeline.js';
export type { PipelineFor, PipelineOptions } from './pipelines/pipeline.js';
export type {
  Answer,
  FilledMask,
  GeneratedText,
  Question,
  RankedDocument,
  Tasks,
  Text2TextOptions,
  TextClassification,
  TextGenerationOptions,
  TokenClassification,
  TranslationOptions,
  ZeroShotClassification,
} from './pipelines/results.js';
export type { TaskName } from './pipelines/tasks.js';
export type { ModelSource, GivenFiles } from './sources.js';
export type { ListedFile, ModelFiles } from './files.js';
export { OpenedFile } from './files.js';
export type { LoadingOptions, ProgressCallback, ProgressInfo } from './options.js';
export type { CustomCache, Settings } from './settings.js';
export { env } from './env.js';
export type { Environment } from './env.js';
