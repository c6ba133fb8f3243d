/* Pipelines of folders and of open parts, streams and their cancelling. */
#include <stdlib.h>

#include "check.h"

static char* run(const tf_pipeline* pipeline, const char* inputs, const char* options) {
  char* json = NULL;
  size_t size = 0;
  CHECK_OK(tf_pipeline_run(pipeline, inputs, options, NULL, &json, &size));
  CHECK(json != NULL && strlen(json) == size);
  return json;
}

/* Appends a piece as JSON writes it. */
static void append_escaped(char* text, size_t space, tf_text piece) {
  static const char controls[] = "\b\f\n\r\t", letters[] = "bfnrt";
  size_t i, end = strlen(text);
  for (i = 0; i < piece.size && end + 8 < space; ++i) {
    const char c = piece.data[i];
    const char* const control = c ? strchr(controls, c) : NULL;
    if (c == '"' || c == '\\')
      end += (size_t)sprintf(text + end, "\\%c", c);
    else if (control != NULL)
      end += (size_t)sprintf(text + end, "\\%c", letters[control - controls]);
    else if ((unsigned char)c < 0x20)
      end += (size_t)sprintf(text + end, "\\u%04x", (unsigned)c);
    else
      text[end++] = c;
  }
  text[end] = 0;
}

static void test_classifier(void) {
  tf_pipeline *opened = NULL, *made = NULL;
  tf_tokenizer* tokenizer = NULL;
  tf_model* model = NULL;
  char *a, *b;
  CHECK_OK(tf_pipeline_open("sentiment-analysis", golden_path("pipelines/bert-nli"), "{\"top_k\":2}", NULL, &opened));
  CHECK_OK(tf_tokenizer_open(golden_path("pipelines/bert-nli"), &tokenizer));
  CHECK_OK(tf_model_open(golden_path("pipelines/bert-nli"), "{\"task\":\"sequence_classification\"}", NULL, &model));
  CHECK_OK(tf_pipeline_create("text-classification", tokenizer, model, NULL, "{\"top_k\":2}", &made));
  tf_tokenizer_free(tokenizer);
  tf_model_free(model); /* the pipeline keeps it */
  a = run(opened, "[\"People!\",\"I love this.\"]", NULL);
  b = run(made, "[\"People!\",\"I love this.\"]", "{\"batch_size\":1}");
  CHECK(strncmp(a, "[[{\"label\":\"", 12) == 0);
  CHECK(strncmp(a, b, 25) == 0);
  tf_string_free(a);
  tf_string_free(b);
  CHECK_STATUS(tf_pipeline_run(opened, "\"a\"", "{\"topk\":1}", NULL, &a, NULL), TF_INVALID_ARGUMENT);
  CHECK(a == NULL && strstr(tf_last_error_message(), "topk") != NULL);
  CHECK_STATUS(tf_pipeline_run(opened, "no json", NULL, NULL, &a, NULL), TF_PARSE);
  CHECK_STATUS(tf_pipeline_run(NULL, "\"a\"", NULL, NULL, &a, NULL), TF_INVALID_ARGUMENT);
  tf_pipeline_free(opened);
  tf_pipeline_free(made);
  CHECK_STATUS(tf_pipeline_open("text-painting", golden_path("pipelines/t5"), NULL, NULL, &opened),
               TF_INVALID_ARGUMENT);
  CHECK(opened == NULL && strstr(tf_last_error_message(), "fill-mask") != NULL);
  CHECK_OK(tf_pipeline_tasks(&a));
  CHECK(strstr(a, "{\"task\":\"fill-mask\",\"model_task\":\"masked_lm\",\"default_model\":\"") != NULL);
  tf_string_free(a);
}

static void test_stream(void) {
  static const char* options = "{\"max_new_tokens\":12,\"do_sample\":false,\"return_full_text\":false}";
  char text[1024] = "[{\"generated_text\":\"";
  tf_pipeline* pipeline = NULL;
  tf_pipeline_stream* stream = NULL;
  tf_cancel* cancel = NULL;
  tf_watch watch = {sizeof(tf_watch), NULL, NULL, NULL};
  tf_text piece = {NULL, 0};
  int32_t finished = 0;
  char *whole, *result;
  const int64_t* tokens = NULL;
  size_t count = 0;
  CHECK_OK(tf_pipeline_open("text-generation", golden_path("pipelines/gpt2-chat"), NULL, NULL, &pipeline));
  CHECK_OK(tf_pipeline_stream_create(pipeline, "\"The quick\"", options, NULL, &stream));
  while (!finished) {
    CHECK_OK(tf_pipeline_stream_next(stream, &piece, &finished));
    CHECK(!finished || piece.size == 0);
    append_escaped(text, sizeof text, piece);
  }
  strcat(text, "\"}]");
  whole = run(pipeline, "\"The quick\"", options);
  CHECK(strcmp(text, whole) == 0);
  CHECK_OK(tf_pipeline_stream_tokens(stream, &tokens, &count));
  CHECK(count == 12 && tokens != NULL);
  CHECK_OK(tf_pipeline_stream_result(stream, &result, NULL));
  CHECK(strcmp(result, whole) == 0);
  tf_string_free(result);
  tf_string_free(whole);
  tf_pipeline_stream_free(stream);

  CHECK_OK(tf_cancel_create(&cancel));
  watch.cancel = cancel;
  CHECK_OK(tf_pipeline_stream_create(pipeline, "\"The quick\"", options, &watch, &stream));
  CHECK_OK(tf_pipeline_stream_next(stream, &piece, &finished));
  tf_cancel_request(cancel);
  CHECK_STATUS(tf_pipeline_stream_next(stream, &piece, &finished), TF_CANCELLED);
  tf_pipeline_stream_free(stream);
  CHECK_STATUS(tf_pipeline_run(pipeline, "\"The quick\"", options, &watch, &whole, NULL), TF_CANCELLED);
  tf_cancel_free(cancel);

  CHECK_OK(tf_pipeline_stream_create(pipeline, "\"The quick\"", options, NULL, &stream));
  CHECK_OK(tf_pipeline_stream_stop(stream));
  CHECK_OK(tf_pipeline_stream_next(stream, &piece, &finished));
  CHECK(finished == 1 && piece.size == 0);
  tf_pipeline_stream_free(stream);
  tf_pipeline_free(pipeline);
}

void test_pipelines(void) {
  test_classifier();
  test_stream();
}
