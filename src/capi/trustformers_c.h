/* The C interface of trustformers: the only binary interface that is promised to stay (docs/abi.md).
 *
 * Every function that can fail gives a tf_status; 0 is success. What went wrong is then told, for the calling thread,
 * by tf_last_error_*. Nothing here prints, aborts or exits, and no exception leaves.
 *
 * Handles are opaque and made by functions that take `T** out`; on failure *out is NULL. Each is given back by its
 * tf_*_free, which takes NULL too; handles keep alive what they need, so the order does not matter. One handle must not
 * be used by two threads at once, except models, tokenizers and pipelines, which never change.
 *
 * Texts are UTF-8. Options are JSON objects in text (NULL: none), in the words of Hugging Face's libraries; a word that
 * is not known is an error that lists the known ones. Structs start with their size, so that both sides may be of
 * different versions: set struct_size to sizeof(the struct) before the call.
 */
#ifndef TRUSTFORMERS_C_H
#define TRUSTFORMERS_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#define TF_API __attribute__((visibility("default")))
#else
#define TF_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when something is added; what is there stays as it is until the library's major version changes. */
#define TF_ABI_VERSION 2
/* The version that the loaded library was built with, and its release: "0.1.0". */
TF_API uint32_t tf_abi_version(void);
TF_API const char* tf_version(void);

/* ---- Errors ---- */

typedef int32_t tf_status;
enum {
  TF_OK = 0,
  TF_INVALID_ARGUMENT = 1, /* a value the caller chose cannot be used */
  TF_SHAPE_MISMATCH = 2,
  TF_DTYPE_MISMATCH = 3,
  TF_NOT_FOUND = 4,    /* a file, tensor, key or model that is not there */
  TF_IO = 5,           /* the operating system refused */
  TF_PARSE = 6,        /* bytes that do not follow their format */
  TF_UNSUPPORTED = 7,  /* well formed, but not something this build can do */
  TF_OUT_OF_RANGE = 8, /* an index, id or position beyond its bound */
  TF_OUT_OF_MEMORY = 9,
  TF_CANCELLED = 10,
  TF_NUMERIC = 11, /* NaN or infinity where a number is needed */
  TF_INTERNAL = 12 /* a broken invariant of the library itself */
};

/* Of the last call on this thread that failed; the texts are valid until the next one that fails. The message reads
 * "[where] what was expected, what came"; the context has one line per level on the way out, the innermost first. */
TF_API tf_status tf_last_error_code(void);
TF_API const char* tf_last_error_message(void);
TF_API const char* tf_last_error_context(void);
/* "invalid_argument", ...; "ok" for 0 and "unknown" for other numbers. */
TF_API const char* tf_status_name(tf_status status);

/* ---- Plain values that cross the border ---- */

/* Bytes of text; TF_NUL_TERMINATED as size stands for strlen(data). */
#define TF_NUL_TERMINATED SIZE_MAX
typedef struct tf_text {
  const char* data;
  size_t size;
} tf_text;

/* Gives back a text that a function handed out through `char** out`; those end with a zero byte. */
TF_API void tf_string_free(char* text);

/* ---- The process ---- */

/* Threads for computing: 0 means TRUSTFORMERS_NUM_THREADS if set, else one per free core. To be called before anything
 * is computed; afterwards TF_INVALID_ARGUMENT. */
TF_API tf_status tf_set_threads(int32_t threads);
/* What this build and machine are: {"version", "abi", "threads", "kernels", "devices"}. */
TF_API tf_status tf_build_info(char** json);

typedef struct tf_memory_info {
  uint32_t struct_size;
  uint32_t live_handles;  /* of every kind */
  int64_t storage_bytes;  /* of tensors, pooled memory included */
  int64_t storage_blocks; /* memory blocks taken from the system so far */
  int64_t tensor_objects; /* tensor objects taken from the system so far */
  int64_t resident_bytes; /* of the process; 0 where the system does not tell */
  int64_t peak_resident_bytes;
} tf_memory_info;
TF_API tf_status tf_memory(tf_memory_info* info);

/* ---- Tensors ---- */

typedef struct tf_tensor tf_tensor;

typedef int32_t tf_dtype;
enum {
  TF_F32 = 0,
  TF_F16 = 1,
  TF_BF16 = 2,
  TF_F64 = 3,
  TF_I8 = 4,
  TF_U8 = 5,
  TF_I32 = 6,
  TF_I64 = 7,
  TF_BOOL = 8 /* one byte, 0 or 1 */
  /* Higher numbers are block formats of quantised weights: see tf_dtype_name. */
};
/* "f32", "bool", "q4_k", ...; NULL for a number that is no dtype. */
TF_API const char* tf_dtype_name(tf_dtype dtype);

#define TF_MAX_RANK 8

/* A tensor that holds a copy of `bytes` bytes in row-major order, which must be what dtype and shape need. */
TF_API tf_status tf_tensor_create(tf_dtype dtype, const int64_t* shape, int32_t rank, const void* data, size_t bytes,
                                  tf_tensor** out);
TF_API void tf_tensor_free(tf_tensor* tensor);

typedef struct tf_tensor_info {
  uint32_t struct_size;
  tf_dtype dtype;
  int32_t rank;
  int32_t requires_grad;
  int32_t is_contiguous;
  int32_t is_host; /* the host can read it without waiting */
  int64_t elements;
  int64_t bytes; /* of the elements in row-major order */
  int64_t shape[TF_MAX_RANK];
} tf_tensor_info;
TF_API tf_status tf_tensor_get_info(const tf_tensor* tensor, tf_tensor_info* info);

/* The elements in row-major order into `out`; `bytes` must be tf_tensor_info.bytes. Only where is_host is 1. */
TF_API tf_status tf_tensor_copy(const tf_tensor* tensor, void* out, size_t bytes);
/* The same where the device may have to be waited for: `done` gets the bytes, valid during the call, or an error (then
 * tf_last_error_* say which). It is called once, at once where is_host is 1, else later on the same thread. */
typedef void (*tf_read_done)(void* user, tf_status status, const void* data, size_t bytes);
TF_API tf_status tf_tensor_read(const tf_tensor* tensor, tf_read_done done, void* user);

/* Runs an op by name on `inputs` (an entry may be NULL where an input is optional). `attributes` is a JSON object:
 * tf_op("sum", &x, 1, "{\"dims\":[0],\"keepdim\":true}", &y). tf_ops lists all of them with their attributes. */
TF_API tf_status tf_op(const char* name, const tf_tensor* const* inputs, size_t count, const char* attributes,
                       tf_tensor** out);
/* [{"name", "inputs": [least, most], "attributes": [names]}, ...] */
TF_API tf_status tf_ops(char** json);

/* Gradients. Only floating leaves can require one. backward adds d(tensor)/d(leaf) to the gradient of every leaf; seed
 * is NULL for a scalar. tf_tensor_grad gives NULL where there is none yet. */
TF_API tf_status tf_tensor_set_requires_grad(tf_tensor* tensor, int32_t value);
TF_API tf_status tf_tensor_backward(const tf_tensor* tensor, const tf_tensor* seed);
TF_API tf_status tf_tensor_grad(const tf_tensor* tensor, tf_tensor** out);
TF_API tf_status tf_tensor_clear_grad(tf_tensor* tensor);
/* The same elements without history. */
TF_API tf_status tf_tensor_detach(const tf_tensor* tensor, tf_tensor** out);
/* Whether this thread records what gradients need; it does at first. Gives what it was before. */
TF_API int32_t tf_set_grad_enabled(int32_t value);

/* ---- Progress and cancelling ---- */

typedef struct tf_progress {
  uint32_t struct_size;
  const char* stage; /* "load" */
  const char* item;  /* the tensor or file */
  int64_t done;      /* bytes */
  int64_t total;     /* 0: unknown */
} tf_progress;

/* A request that other threads may make of long work. */
typedef struct tf_cancel tf_cancel;
TF_API tf_status tf_cancel_create(tf_cancel** out);
TF_API void tf_cancel_request(const tf_cancel* cancel);
TF_API void tf_cancel_free(tf_cancel* cancel);

/* What long work is given; every member but the size may be 0. */
typedef struct tf_watch {
  uint32_t struct_size;
  void* user;
  /* Anything but 0 ends the work with TF_CANCELLED. */
  int32_t (*progress)(void* user, const tf_progress* event);
  const tf_cancel* cancel;
} tf_watch;

/* ---- Files of a model that are in memory, or on their way ---- */

/* A folder in memory: config.json, tokenizer.json, *.safetensors with their index, *.gguf, under the names they have in
 * a repository. Weights go straight to where their tensors lie, so that there is never a second copy. */
typedef struct tf_files tf_files;
TF_API tf_status tf_files_create(tf_files** out);
TF_API void tf_files_free(tf_files* files);
/* A small file, copied. */
TF_API tf_status tf_files_add(tf_files* files, const char* name, const void* data, size_t size);
/* A file that comes in order but piece by piece; several may be under way. */
typedef struct tf_file tf_file;
TF_API tf_status tf_files_begin(tf_files* files, const char* name, uint64_t size, tf_file** out);
/* Where the next bytes belong, and how many of them: at least 1 until the file is whole, then 0. */
TF_API tf_status tf_file_space(tf_file* file, void** data, size_t* size);
/* So many bytes were put there. Errors in the bytes show up here. */
TF_API tf_status tf_file_commit(tf_file* file, size_t size);
/* The same with bytes from elsewhere. */
TF_API tf_status tf_file_write(tf_file* file, const void* data, size_t size);
/* Adds the file to its folder. An error when it is not whole. The handle is to be freed in any case. */
TF_API tf_status tf_file_finish(tf_file* file);
TF_API void tf_file_free(tf_file* file);

/* ---- Tokenizers ---- */

typedef struct tf_tokenizer tf_tokenizer;
/* A folder, a .gguf file, a tokenizer.json, or the id of a model in a local cache. Never online. */
TF_API tf_status tf_tokenizer_open(const char* model, tf_tokenizer** out);
TF_API tf_status tf_tokenizer_from_files(const tf_files* files, tf_tokenizer** out);
TF_API void tf_tokenizer_free(tf_tokenizer* tokenizer);
/* {"vocab_size", "model_max_length", "special_tokens": {"pad": {"id", "token"}, ...}, "chat_templates", "padding_side"}
 */
TF_API tf_status tf_tokenizer_info(const tf_tokenizer* tokenizer, char** json);

typedef struct tf_encoding tf_encoding;
/* `pairs` is NULL or has one text for each of `texts`. Options: add_special_tokens (true), parse_special_tokens (true),
 * truncation (false; true, "longest_first", "only_first", "only_second"), max_length, stride, truncation_side, padding
 * (false; true, "longest", "max_length"), pad_to_multiple_of, padding_side, return_overflowing_tokens (false). */
TF_API tf_status tf_tokenizer_encode(const tf_tokenizer* tokenizer, const tf_text* texts, const tf_text* pairs,
                                     size_t count, const char* options, tf_encoding** out);
TF_API void tf_encoding_free(tf_encoding* encoding);
/* One row a text; with return_overflowing_tokens its further windows follow as rows of their own. */
TF_API size_t tf_encoding_rows(const tf_encoding* encoding);
typedef int32_t tf_encoding_field;
enum {
  TF_ENCODING_IDS = 0,
  TF_ENCODING_TYPE_IDS = 1,
  TF_ENCODING_ATTENTION_MASK = 2,
  TF_ENCODING_SPECIAL_TOKENS_MASK = 3,
  TF_ENCODING_WORD_IDS = 4,     /* -1: none */
  TF_ENCODING_SEQUENCE_IDS = 5, /* 0 first text, 1 second, -1 neither */
  TF_ENCODING_OFFSETS = 6,      /* two a token: first and end, in code points of the text */
  TF_ENCODING_SAMPLE = 7        /* one value: the text that the row comes from */
};
/* The values of a row; valid as long as the encoding. */
TF_API tf_status tf_encoding_row(const tf_encoding* encoding, size_t row, tf_encoding_field field, const int32_t** data,
                                 size_t* count);
/* One of the first four fields as i64 [B, L]; rows of different lengths are an error. */
TF_API tf_status tf_encoding_tensor(const tf_encoding* encoding, tf_encoding_field field, tf_tensor** out);

/* Ids without a token stand for nothing. `size` may be NULL. */
TF_API tf_status tf_tokenizer_decode(const tf_tokenizer* tokenizer, const int32_t* ids, size_t count,
                                     int32_t skip_special_tokens, char** out, size_t* size);
/* TF_NOT_FOUND where there is no such token or id. */
TF_API tf_status tf_tokenizer_token_to_id(const tf_tokenizer* tokenizer, tf_text token, int32_t* id);
TF_API tf_status tf_tokenizer_id_to_token(const tf_tokenizer* tokenizer, int32_t id, char** out, size_t* size);
/* The text of a prompt from messages [{"role", "content"}, ...]. Options: add_generation_prompt (true), tools,
 * documents, chat_template (a name or Jinja text), and template_variables: further ones. */
TF_API tf_status tf_tokenizer_chat(const tf_tokenizer* tokenizer, const char* messages, const char* options, char** out,
                                   size_t* size);

/* Text from tokens as they come. Options: skip_special_tokens (true), stop_strings. */
typedef struct tf_text_stream tf_text_stream;
TF_API tf_status tf_text_stream_create(const tf_tokenizer* tokenizer, const char* options, tf_text_stream** out);
TF_API void tf_text_stream_free(tf_text_stream* stream);
/* What has become certain with this token, perhaps nothing: valid until the next call. `stopped` (may be NULL) becomes
 * 1 when a stop string is complete; its text is left out. */
TF_API tf_status tf_text_stream_push(tf_text_stream* stream, int32_t id, tf_text* piece, int32_t* stopped);
TF_API tf_status tf_text_stream_finish(tf_text_stream* stream, tf_text* piece);

/* ---- Models ---- */

typedef struct tf_model tf_model;
/* A folder, a .gguf or .safetensors file, or the id of a model in a local cache. Never online. Options: task ("base",
 * "causal_lm", "seq2seq_lm", "masked_lm", "sequence_classification", "token_classification", "question_answering",
 * "multiple_choice", "next_sentence_prediction", "pretraining") or class_name ("BertForMaskedLM"); trainable (false),
 * exact_activations (false), adapter (a folder), merge_adapter (false). */
TF_API tf_status tf_model_open(const char* model, const char* options, const tf_watch* watch, tf_model** out);
/* The weights leave the folder: it holds no model afterwards. */
TF_API tf_status tf_model_from_files(tf_files* files, const char* options, const tf_watch* watch, tf_model** out);
/* Fresh weights for a config in the words of config.json. */
TF_API tf_status tf_model_from_config(const char* config, uint64_t seed, const char* options, tf_model** out);
TF_API void tf_model_free(tf_model* model);
/* The tokenizer that the model was made for: options of generation that speak of text need it. NULL takes it away. */
TF_API tf_status tf_model_set_tokenizer(tf_model* model, const tf_tokenizer* tokenizer);
/* {"class_name", "model_type", "parameters", "can_generate", "is_encoder_decoder", "config", "generation_config"} */
TF_API tf_status tf_model_info(const tf_model* model, char** json);
/* Parameters by number, below tf_model_parameter_count; `name` (may be NULL) is valid as long as the model. */
TF_API size_t tf_model_parameter_count(const tf_model* model);
TF_API tf_status tf_model_parameter(const tf_model* model, size_t number, const char** name, tf_tensor** out);
/* config.json and model.safetensors. */
TF_API tf_status tf_model_save(const tf_model* model, const char* folder);

typedef struct tf_named_tensor {
  const char* name;
  const tf_tensor* tensor;
} tf_named_tensor;
typedef struct tf_outputs tf_outputs;
/* Inputs under Hugging Face's names: input_ids, attention_mask, token_type_ids, labels, ... Options:
 * output_hidden_states (false), logits_to_keep (0: all), label_smoothing (0). */
TF_API tf_status tf_model_forward(const tf_model* model, const tf_named_tensor* inputs, size_t count,
                                  const char* options, tf_outputs** out);
/* The encoder of an encoder-decoder alone. */
TF_API tf_status tf_model_encode(const tf_model* model, const tf_named_tensor* inputs, size_t count,
                                 const char* options, tf_outputs** out);
TF_API void tf_outputs_free(tf_outputs* outputs);
TF_API size_t tf_outputs_count(const tf_outputs* outputs);
/* "logits", "hidden_states.2"; NULL for a number that is too large. Valid as long as the outputs. */
TF_API const char* tf_outputs_name(const tf_outputs* outputs, size_t number);
TF_API tf_status tf_outputs_tensor(const tf_outputs* outputs, const char* name, tf_tensor** out);

/* ---- Generation ---- */

/* Keeps what a model has read, so that a conversation that goes on is read only once. */
typedef struct tf_session tf_session;
TF_API tf_status tf_session_create(const tf_model* model, tf_session** out);
TF_API void tf_session_free(tf_session* session);

/* Tokens one step at a time. */
typedef struct tf_generation tf_generation;
/* Prompts as inputs of a model: input_ids [B, L], padded on the left with 0 in attention_mask. `session` may be NULL;
 * else there is one prompt, and what it shares with what the session has read is not read again. Options: those of
 * generation_config.json over the model's own, and seed. With a tokenizer (tf_model_set_tokenizer) also stop_strings,
 * and one of json_schema (the schema, or its text), grammar (GBNF), regex, choices (texts), json (true): what the text
 * will be, see docs/structured-output.md. */
TF_API tf_status tf_generation_create(const tf_model* model, tf_session* session, const tf_named_tensor* inputs,
                                      size_t count, const char* options, const tf_watch* watch, tf_generation** out);
TF_API void tf_generation_free(tf_generation* generation);

typedef struct tf_step {
  uint32_t struct_size;
  int32_t finished;      /* 1: no tokens came, there are no more */
  const int64_t* tokens; /* one a row; rows that ended give their padding. Valid until the next step. */
  size_t rows;
} tf_step;
/* Computes the next tokens and hands them to `done`, or an error; with the CPU before this returns. NULL: the tokens
 * are then to be had from tf_generation_last. */
typedef void (*tf_step_done)(void* user, tf_status status, const tf_step* step);
TF_API tf_status tf_generation_step(tf_generation* generation, tf_step_done done, void* user);
TF_API tf_status tf_generation_last(const tf_generation* generation, tf_step* step);
/* No more steps; what was read stays in the session. */
TF_API tf_status tf_generation_stop(tf_generation* generation);
/* Prompts and new tokens so far: i64 [B, L + N]. */
TF_API tf_status tf_generation_sequences(const tf_generation* generation, tf_tensor** out);

typedef struct tf_generation_stats {
  uint32_t struct_size;
  int32_t reserved;
  int64_t prompt_tokens;  /* a row */
  int64_t reused_tokens;  /* of them, found in the session */
  int64_t new_tokens;     /* a row */
  double prefill_seconds; /* until the first token was chosen */
  double decode_seconds;  /* the tokens after it */
} tf_generation_stats;
TF_API tf_status tf_generation_get_stats(const tf_generation* generation, tf_generation_stats* stats);

/* ---- Pipelines ---- */

/* From texts to results, as transformers' pipelines give them (docs/pipelines.md: tasks, inputs, options, results). */
typedef struct tf_pipeline tf_pipeline;
/* `model` as of tf_model_open; NULL or "": the task's default model. `options` hold for every call. */
TF_API tf_status tf_pipeline_open(const char* task, const char* model, const char* options, const tf_watch* watch,
                                  tf_pipeline** out);
/* Of parts that are open; the model must be of the class that tf_pipeline_tasks names. `files` may be NULL: the folder
 * in memory that they came from, which says how sentences become vectors. */
TF_API tf_status tf_pipeline_create(const char* task, const tf_tokenizer* tokenizer, const tf_model* model,
                                    const tf_files* files, const char* options, tf_pipeline** out);
TF_API void tf_pipeline_free(tf_pipeline* pipeline);
/* [{"task", "model_task", "default_model"}, ...]; model_task is what tf_model_open is told. */
TF_API tf_status tf_pipeline_tasks(char** json);

/* Inputs and the result are JSON: one input and one result, or lists of them. `watch` may be NULL; only its cancel is
 * looked at, before each batch or token. */
TF_API tf_status tf_pipeline_run(const tf_pipeline* pipeline, const char* inputs, const char* options,
                                 const tf_watch* watch, char** json, size_t* size);

/* The text of one input piece by piece. A chat that goes on is read only from where it is new. */
typedef struct tf_pipeline_stream tf_pipeline_stream;
TF_API tf_status tf_pipeline_stream_create(const tf_pipeline* pipeline, const char* input, const char* options,
                                           const tf_watch* watch, tf_pipeline_stream** out);
TF_API void tf_pipeline_stream_free(tf_pipeline_stream* stream);
/* The piece of the next token, valid until the next call; of size 0 while a character lacks bytes, and at the end, when
 * `finished` becomes 1. */
TF_API tf_status tf_pipeline_stream_next(tf_pipeline_stream* stream, tf_text* piece, int32_t* finished);
/* All tokens that came so far; valid until the next call. */
TF_API tf_status tf_pipeline_stream_tokens(const tf_pipeline_stream* stream, const int64_t** tokens, size_t* count);
/* No more tokens: the next pieces are what was held back. */
TF_API tf_status tf_pipeline_stream_stop(tf_pipeline_stream* stream);
/* What tf_pipeline_run would have given for the tokens so far. */
TF_API tf_status tf_pipeline_stream_result(const tf_pipeline_stream* stream, char** json, size_t* size);

#ifdef __cplusplus
}
#endif

#endif
