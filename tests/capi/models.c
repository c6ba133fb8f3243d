/* Models from folders and from streams, forward, gradients of a loss, and generation step by step. */
#include <math.h>
#include <stdlib.h>

#include "check.h"

static const int64_t prompt_ids[5] = {8, 52, 79, 43, 69};
/* What PyTorch continues them with (tests/goldens/llama.causal_lm, "greedy"). */
static const int64_t continued[16] = {88, 45, 94, 78, 12, 61, 26, 84, 88, 88, 88, 88, 88, 88, 88, 88};

static tf_tensor* prompt(void) {
  const int64_t shape[2] = {1, 5};
  return integers(prompt_ids, 2, shape);
}

static tf_tensor* logits_of(const tf_model* model) {
  tf_named_tensor input;
  tf_outputs* outputs = NULL;
  tf_tensor *ids = prompt(), *logits = NULL;
  input.name = "input_ids";
  input.tensor = ids;
  CHECK_OK(tf_model_forward(model, &input, 1, NULL, &outputs));
  CHECK(tf_outputs_count(outputs) == 1 && strcmp(tf_outputs_name(outputs, 0), "logits") == 0);
  CHECK(tf_outputs_name(outputs, 1) == NULL);
  CHECK_OK(tf_outputs_tensor(outputs, "logits", &logits));
  tf_outputs_free(outputs);
  tf_tensor_free(ids);
  return logits;
}

/* The number of elements in which two tensors of at most 4096 floats differ. */
static int differences(const tf_tensor* a, const tf_tensor* b) {
  static float x[4096], y[4096];
  tf_tensor_info info = {sizeof(tf_tensor_info), 0, 0, 0, 0, 0, 0, 0, {0}};
  int count = 0;
  int64_t i;
  CHECK_OK(tf_tensor_get_info(a, &info));
  CHECK(info.elements <= 4096);
  CHECK_OK(tf_tensor_copy(a, x, (size_t)info.bytes));
  CHECK_OK(tf_tensor_copy(b, y, (size_t)info.bytes));
  for (i = 0; i < info.elements; ++i) count += x[i] != y[i];
  return count;
}

static int reports = 0;
static int64_t last_total = 0;
static int32_t count_reports(void* user, const tf_progress* event) {
  CHECK(user == &reports && event->struct_size == sizeof(tf_progress));
  CHECK(strcmp(event->stage, "load") == 0 && event->item[0] != '\0' && event->done <= event->total);
  last_total = event->total;
  return ++reports == -1;
}
static int32_t refuse(void* user, const tf_progress* event) {
  (void)user;
  (void)event;
  return 1;
}

void test_models(void) {
  tf_model *model = NULL, *other = NULL;
  tf_watch watch = {sizeof(tf_watch), &reports, count_reports, NULL};
  tf_cancel* cancel = NULL;
  tf_tensor *parameter = NULL, *logits, *ids, *loss = NULL, *grad = NULL, *hidden = NULL;
  tf_named_tensor inputs[2];
  tf_outputs* outputs = NULL;
  tf_tensor_info info = {sizeof(tf_tensor_info), 0, 0, 0, 0, 0, 0, 0, {0}};
  const char* name = NULL;
  char* json = NULL;
  float value = 0;

  CHECK_OK(tf_model_open(golden_path("llama.causal_lm"), "{\"task\":\"causal_lm\"}", &watch, &model));
  CHECK(reports > 5 && last_total > 0);
  CHECK_OK(tf_model_info(model, &json));
  CHECK(strstr(json, "\"class_name\":\"LlamaForCausalLM\"") != NULL && strstr(json, "\"can_generate\":true") != NULL);
  tf_string_free(json);
  CHECK(tf_model_parameter_count(model) > 5);
  CHECK_OK(tf_model_parameter(model, 0, &name, &parameter));
  CHECK(strcmp(name, "model.embed_tokens.weight") == 0);
  tf_tensor_free(parameter);
  CHECK_STATUS(tf_model_parameter(model, 100000, NULL, &parameter), TF_OUT_OF_RANGE);
  logits = logits_of(model);
  CHECK_OK(tf_tensor_get_info(logits, &info));
  CHECK(info.rank == 3 && info.shape[1] == 5 && info.shape[2] == 99);
  tf_tensor_free(logits);

  ids = prompt();
  inputs[0].name = "input_ids";
  inputs[0].tensor = ids;
  CHECK_OK(tf_model_forward(model, inputs, 1, "{\"output_hidden_states\":true,\"logits_to_keep\":1}", &outputs));
  CHECK_OK(tf_outputs_tensor(outputs, "hidden_states.0", &hidden));
  CHECK_STATUS(tf_outputs_tensor(outputs, "loss", &loss), TF_NOT_FOUND);
  CHECK(strstr(tf_last_error_message(), "logits") != NULL);
  tf_tensor_free(hidden);
  tf_outputs_free(outputs);
  inputs[1].name = "no_such_input";
  inputs[1].tensor = ids;
  CHECK_STATUS(tf_model_forward(model, inputs, 2, NULL, &outputs), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_model_forward(model, inputs, 1, "{\"hidden\":1}", &outputs), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_model_encode(model, inputs, 1, NULL, &outputs), TF_UNSUPPORTED);
  tf_model_free(model);

  /* A loss and its gradient. */
  CHECK_OK(tf_model_open(golden_path("llama.causal_lm"), "{\"task\":\"causal_lm\",\"trainable\":true}", NULL, &model));
  inputs[1].name = "labels";
  CHECK_OK(tf_model_forward(model, inputs, 2, NULL, &outputs));
  CHECK_OK(tf_outputs_tensor(outputs, "loss", &loss));
  CHECK_OK(tf_tensor_backward(loss, NULL));
  CHECK_OK(tf_tensor_copy(loss, &value, sizeof(value)));
  CHECK(value > 0.1f && value < 20.0f);
  CHECK_OK(tf_model_parameter(model, 0, NULL, &parameter));
  CHECK_OK(tf_tensor_grad(parameter, &grad));
  CHECK(grad != NULL);
  tf_tensor_free(grad);
  tf_tensor_free(parameter);
  tf_tensor_free(loss);
  tf_outputs_free(outputs);
  tf_model_free(model);
  tf_tensor_free(ids);

  CHECK_OK(
      tf_model_from_config("{\"model_type\":\"gpt2\",\"vocab_size\":50,\"n_embd\":16,\"n_layer\":1,\"n_head\":2,"
                           "\"n_positions\":32}",
                           7, "{\"task\":\"causal_lm\"}", &model));
  tf_model_free(model);

  watch.progress = refuse;
  CHECK_STATUS(tf_model_open(golden_path("llama.causal_lm"), NULL, &watch, &other), TF_CANCELLED);
  CHECK(other == NULL);
  CHECK_OK(tf_cancel_create(&cancel));
  tf_cancel_request(cancel);
  watch.progress = NULL;
  watch.cancel = cancel;
  CHECK_STATUS(tf_model_open(golden_path("llama.causal_lm"), NULL, &watch, &other), TF_CANCELLED);
  tf_cancel_free(cancel);
  CHECK_STATUS(tf_model_open("no-such-org/no-such-model", NULL, NULL, &other), TF_NOT_FOUND);
  CHECK_STATUS(tf_model_open(golden_path("llama.causal_lm"), "{\"task\":\"poetry\"}", NULL, &other),
               TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_model_open(golden_path("llama.causal_lm"), "{\"taks\":\"base\"}", NULL, &other), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_model_open(golden_path("bert.base"), "{\"task\":\"seq2seq_lm\"}", NULL, &other), TF_UNSUPPORTED);
}

/* Streams a file in pieces of `step` bytes straight into its place. */
static void stream(tf_files* files, const char* folder, const char* name, size_t step) {
  char path[256];
  size_t size = 0, at = 0, room = 0, part;
  void* place = NULL;
  char* bytes;
  tf_file* file = NULL;
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  bytes = read_whole(golden_path(path), &size);
  CHECK(bytes != NULL);
  CHECK_OK(tf_files_begin(files, name, size, &file));
  while (at < size) {
    CHECK_OK(tf_file_space(file, &place, &room));
    part = room < step ? room : step;
    if (room == 0) break;
    memcpy(place, bytes + at, part);
    CHECK_OK(tf_file_commit(file, part));
    at += part;
  }
  CHECK(at == size);
  CHECK_OK(tf_file_space(file, &place, &room));
  CHECK(room == 0);
  CHECK_OK(tf_file_finish(file));
  CHECK_STATUS(tf_file_finish(file), TF_INVALID_ARGUMENT);
  tf_file_free(file);
  free(bytes);
}

/* A model of files that came in pieces of `step` bytes gives the logits of the one from the folder, bit for bit. */
static void compare(const char* folder, const char* weights, int with_config, size_t step) {
  static const char options[] = "{\"task\":\"causal_lm\"}";
  tf_model *opened = NULL, *streamed = NULL;
  tf_files* files = NULL;
  tf_tensor *a, *b;
  char path[256];
  snprintf(path, sizeof(path), "%s/%s", folder, weights);
  CHECK_OK(tf_model_open(golden_path(path), options, NULL, &opened));
  CHECK_OK(tf_files_create(&files));
  stream(files, folder, weights, step);
  if (with_config) stream(files, folder, "config.json", step);
  CHECK_OK(tf_model_from_files(files, options, NULL, &streamed));
  tf_files_free(files); /* the model keeps what it needs */
  a = logits_of(opened);
  b = logits_of(streamed);
  CHECK(differences(a, b) == 0);
  tf_tensor_free(a);
  tf_tensor_free(b);
  tf_model_free(opened);
  tf_model_free(streamed);
}

static void test_damaged_files(void) {
  tf_files* files = NULL;
  tf_file* file = NULL;
  tf_model* model = NULL;
  tf_tokenizer* tokenizer = NULL;
  void* place = NULL;
  size_t room = 0;
  static const char page[] = "<!doctype html><title>404</title>";
  uint64_t huge = UINT64_C(1) << 60;

  CHECK_OK(tf_files_create(&files));
  CHECK_STATUS(tf_model_from_files(files, NULL, NULL, &model), TF_NOT_FOUND);
  CHECK_STATUS(tf_tokenizer_from_files(files, &tokenizer), TF_NOT_FOUND);
  CHECK_STATUS(tf_files_add(files, "../config.json", "{}", 2), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_files_add(files, "/config.json", "{}", 2), TF_INVALID_ARGUMENT);
  CHECK_OK(tf_files_add(files, "config.json", "{}", 2));
  CHECK_STATUS(tf_files_add(files, "config.json", "{}", 2), TF_INVALID_ARGUMENT);
  /* A page instead of weights. */
  CHECK_STATUS(tf_files_add(files, "model.safetensors", page, sizeof(page)), TF_PARSE);
  CHECK_STATUS(tf_files_add(files, "model.gguf", page, sizeof(page)), TF_PARSE);
  CHECK_STATUS(tf_files_add(files, "model.gguf", NULL, 0), TF_PARSE);
  /* A size that no memory has costs nothing before its bytes come. */
  CHECK_OK(tf_files_begin(files, "model.safetensors", huge, &file));
  CHECK_OK(tf_file_space(file, &place, &room));
  CHECK(room == 8);
  memcpy(place, "\xff\xff\xff\xff\xff\xff\x00\x00", 8);
  CHECK_STATUS(tf_file_commit(file, 8), TF_PARSE);
  tf_file_free(file);
  CHECK_STATUS(tf_files_begin(files, "tokenizer.json", huge, &file), TF_OUT_OF_MEMORY);
  CHECK_OK(tf_files_begin(files, "tokenizer.json", 2, &file));
  CHECK_STATUS(tf_file_write(file, "{}}", 3), TF_INVALID_ARGUMENT);
  tf_file_free(file);
  CHECK_OK(tf_files_begin(files, "tokenizer.json", 2, &file));
  CHECK_OK(tf_file_write(file, "{", 1));
  CHECK_STATUS(tf_file_finish(file), TF_PARSE); /* half a file */
  CHECK_STATUS(tf_file_commit(file, 2), TF_INVALID_ARGUMENT);
  tf_file_free(file);
  tf_files_free(files);
}

void test_files(void) {
  tf_files* files = NULL;
  tf_tokenizer* tokenizer = NULL;
  compare("llama.causal_lm", "model.safetensors", 1, 1000000);
  compare("llama.causal_lm", "model.safetensors", 1, 7);
  compare("gguf/llama-mixed", "model.gguf", 0, 1000000);
  compare("gguf/llama-mixed", "model.gguf", 0, 4096);
  CHECK_OK(tf_files_create(&files));
  stream(files, "tokenizers/bert-uncased", "tokenizer.json", 100);
  CHECK_OK(tf_tokenizer_from_files(files, &tokenizer));
  tf_tokenizer_free(tokenizer);
  tf_files_free(files);
  test_damaged_files();
}

static int64_t pushed[16];
static size_t pushes = 0;
static void on_step(void* user, tf_status status, const tf_step* step) {
  CHECK(status == TF_OK && user == pushed && step->rows <= 1);
  if (!step->finished && pushes < 16) pushed[pushes++] = step->tokens[0];
}

/* Pulls until the end; gives the number of tokens, at most 16 of which are kept. */
static size_t pull(tf_generation* generation, int64_t* tokens) {
  tf_step step = {sizeof(tf_step), 0, NULL, 0};
  size_t count = 0;
  while (count < 100) {
    CHECK_OK(tf_generation_step(generation, NULL, NULL));
    CHECK_OK(tf_generation_last(generation, &step));
    if (step.finished) break;
    if (count < 16) tokens[count] = step.tokens[0];
    ++count;
  }
  return count;
}

/* Options that speak of text need the tokenizer: here one of single letters, the n-th token being the n-th letter. */
static void test_structured_generation(void) {
  static const char json[] =
      "{\"decoder\":{\"type\":\"Fuse\"},\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"a\",\"vocab\":{\"a\":0,\"b\":"
      "1,"
      "\"c\":2,\"d\":3,\"e\":4}}}";
  const char* options = "{\"max_new_tokens\":9,\"eos_token_id\":4,\"regex\":\"ab(c|d){3}\"}";
  tf_model* model = NULL;
  tf_files* files = NULL;
  tf_tokenizer* tokenizer = NULL;
  tf_generation* generation = NULL;
  tf_tensor* ids = prompt();
  tf_named_tensor input;
  int64_t tokens[16];
  size_t i;

  input.name = "input_ids";
  input.tensor = ids;
  CHECK_OK(tf_model_open(golden_path("llama.causal_lm"), "{\"task\":\"causal_lm\"}", NULL, &model));
  CHECK_STATUS(tf_generation_create(model, NULL, &input, 1, options, NULL, &generation), TF_INVALID_ARGUMENT);
  CHECK_OK(tf_files_create(&files));
  CHECK_OK(tf_files_add(files, "tokenizer.json", json, sizeof(json) - 1));
  CHECK_OK(tf_tokenizer_from_files(files, &tokenizer));
  CHECK_OK(tf_model_set_tokenizer(model, tokenizer));
  tf_tokenizer_free(tokenizer); /* the model keeps it */
  tf_files_free(files);
  CHECK_OK(tf_generation_create(model, NULL, &input, 1, options, NULL, &generation));
  CHECK(pull(generation, tokens) == 6 && tokens[0] == 0 && tokens[1] == 1 && tokens[5] == 4);
  for (i = 2; i < 5; ++i) CHECK(tokens[i] == 2 || tokens[i] == 3);
  tf_generation_free(generation);
  CHECK_OK(tf_generation_create(model, NULL, &input, 1,
                                "{\"max_new_tokens\":9,\"eos_token_id\":4,\"regex\":\"[ab]*\",\"min_new_tokens\":9,"
                                "\"stop_strings\":[\"aa\",\"b\",\"ab\"]}",
                                NULL, &generation));
  CHECK(pull(generation, tokens) <= 2);
  tf_generation_free(generation);
  CHECK_STATUS(tf_generation_create(model, NULL, &input, 1, "{\"eos_token_id\":4,\"regex\":\"(\"}", NULL, &generation),
               TF_PARSE);
  CHECK_STATUS(tf_generation_create(model, NULL, &input, 1, "{\"eos_token_id\":4,\"json_schema\":{\"colour\":1}}", NULL,
                                    &generation),
               TF_UNSUPPORTED);
  tf_tensor_free(ids);
  tf_model_free(model);
}

void test_generation(void) {
  tf_model *model = NULL, *encoder = NULL;
  tf_session* session = NULL;
  tf_generation *generation = NULL, *second = NULL;
  tf_generation_stats stats = {sizeof(tf_generation_stats), 0, 0, 0, 0, 0, 0};
  tf_tensor *ids = prompt(), *sequences = NULL;
  tf_named_tensor input;
  tf_watch watch = {sizeof(tf_watch), NULL, NULL, NULL};
  tf_cancel* cancel = NULL;
  int64_t tokens[16], whole[21], drawn[16];
  const int64_t longer_shape[2] = {1, 21};
  const char* sampling = "{\"max_new_tokens\":8,\"do_sample\":true,\"temperature\":2.0,\"seed\":5}";
  size_t i;

  test_structured_generation();
  input.name = "input_ids";
  input.tensor = ids;
  CHECK_OK(tf_model_open(golden_path("llama.causal_lm"), "{\"task\":\"causal_lm\"}", NULL, &model));

  /* Greedy, by callback and by pulling. */
  CHECK_OK(tf_generation_create(model, NULL, &input, 1, "{\"max_new_tokens\":16}", NULL, &generation));
  for (i = 0; i < 17; ++i) CHECK_OK(tf_generation_step(generation, on_step, pushed));
  CHECK(pushes == 16 && memcmp(pushed, continued, sizeof(continued)) == 0);
  CHECK_OK(tf_generation_sequences(generation, &sequences));
  CHECK_OK(tf_tensor_copy(sequences, whole, sizeof(whole)));
  CHECK(memcmp(whole, prompt_ids, sizeof(prompt_ids)) == 0 && memcmp(whole + 5, continued, sizeof(continued)) == 0);
  tf_tensor_free(sequences);
  CHECK_OK(tf_generation_get_stats(generation, &stats));
  CHECK(stats.prompt_tokens == 5 && stats.new_tokens == 16 && stats.reused_tokens == 0);
  tf_generation_free(generation);

  /* A session reads only what is new; one generation at a time. */
  CHECK_OK(tf_session_create(model, &session));
  CHECK_OK(tf_generation_create(model, session, &input, 1, "{\"max_new_tokens\":16}", NULL, &generation));
  CHECK_STATUS(tf_generation_create(model, session, &input, 1, NULL, NULL, &second), TF_INVALID_ARGUMENT);
  CHECK(pull(generation, tokens) == 16 && memcmp(tokens, continued, sizeof(continued)) == 0);
  tf_generation_free(generation);
  tf_tensor_free(ids);
  input.tensor = ids = integers(whole, 2, longer_shape);
  CHECK_OK(tf_generation_create(model, session, &input, 1, "{\"max_new_tokens\":2}", NULL, &generation));
  CHECK_OK(tf_generation_step(generation, NULL, NULL));
  CHECK_OK(tf_generation_get_stats(generation, &stats));
  CHECK(stats.reused_tokens == 20);
  CHECK_OK(tf_generation_stop(generation));
  CHECK(pull(generation, tokens) == 0);
  tf_session_free(session); /* before its generation */
  tf_generation_free(generation);
  tf_tensor_free(ids);
  input.tensor = ids = prompt();

  /* The same seed, the same tokens. */
  CHECK_OK(tf_generation_create(model, NULL, &input, 1, sampling, NULL, &generation));
  CHECK(pull(generation, drawn) == 8);
  tf_generation_free(generation);
  CHECK_OK(tf_generation_create(model, NULL, &input, 1, sampling, NULL, &generation));
  CHECK(pull(generation, tokens) == 8 && memcmp(tokens, drawn, 8 * sizeof(int64_t)) == 0);
  CHECK(memcmp(tokens, continued, 8 * sizeof(int64_t)) != 0);
  tf_generation_free(generation);

  /* Beams know their tokens at the end only. */
  CHECK_OK(tf_generation_create(model, NULL, &input, 1, "{\"max_new_tokens\":4,\"num_beams\":2}", NULL, &generation));
  CHECK(pull(generation, tokens) == 4);
  tf_generation_free(generation);

  /* Cancelling between steps. */
  CHECK_OK(tf_cancel_create(&cancel));
  watch.cancel = cancel;
  CHECK_OK(tf_generation_create(model, NULL, &input, 1, NULL, &watch, &generation));
  CHECK_OK(tf_generation_step(generation, NULL, NULL));
  tf_cancel_request(cancel);
  tf_cancel_free(cancel);
  CHECK_STATUS(tf_generation_step(generation, NULL, NULL), TF_CANCELLED);
  CHECK_OK(tf_generation_step(generation, NULL, NULL)); /* an error is the end */
  tf_generation_free(generation);

  CHECK_STATUS(tf_generation_create(model, NULL, &input, 1, "{\"max_tokens\":5}", NULL, &generation),
               TF_INVALID_ARGUMENT);
  CHECK_STATUS(
      tf_generation_create(model, NULL, &input, 1, "{\"temperature\":-1,\"do_sample\":true}", NULL, &generation),
      TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_generation_create(model, NULL, NULL, 0, NULL, NULL, &generation), TF_SHAPE_MISMATCH);
  CHECK_OK(tf_model_open(golden_path("bert.base"), NULL, NULL, &encoder));
  CHECK_STATUS(tf_session_create(encoder, &session), TF_UNSUPPORTED);
  CHECK_STATUS(tf_generation_create(encoder, NULL, &input, 1, NULL, NULL, &generation), TF_UNSUPPORTED);
  tf_model_free(encoder);
  tf_model_free(model);
  tf_tensor_free(ids);
}
