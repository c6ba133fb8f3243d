/* Tokenizers, encodings, chat templates and text streams. */
#include <stdlib.h>

#include "check.h"

static tf_tokenizer* open_bert(void) {
  tf_tokenizer* tokenizer = NULL;
  CHECK_OK(tf_tokenizer_open(golden_path("tokenizers/bert-uncased/tokenizer.json"), &tokenizer));
  return tokenizer;
}

static void test_encoding(tf_tokenizer* tokenizer) {
  tf_text texts[2], pairs[2], missing;
  tf_encoding* encoding = NULL;
  tf_tensor* tensor = NULL;
  tf_tensor_info info = {sizeof(tf_tensor_info), 0, 0, 0, 0, 0, 0, 0, {0}};
  const int32_t *ids = NULL, *mask = NULL, *offsets = NULL, *sample = NULL;
  size_t count = 0, size = 0;
  char* text = NULL;
  int32_t id = 0;

  texts[0].data = "a cat";
  texts[0].size = TF_NUL_TERMINATED;
  texts[1].data = "a cat and a cat and a cat??";
  texts[1].size = 5 + 14; /* "a cat and a cat and" */
  CHECK_OK(tf_tokenizer_encode(tokenizer, texts, NULL, 2, "{\"padding\":true}", &encoding));
  CHECK(tf_encoding_rows(encoding) == 2);
  CHECK_OK(tf_encoding_row(encoding, 0, TF_ENCODING_IDS, &ids, &count));
  CHECK(count > 4 && ids[0] == 2);
  CHECK_OK(tf_encoding_row(encoding, 0, TF_ENCODING_ATTENTION_MASK, &mask, &count));
  CHECK(mask[0] == 1 && mask[count - 1] == 0);
  CHECK_OK(tf_encoding_row(encoding, 0, TF_ENCODING_OFFSETS, &offsets, &size));
  CHECK(size == 2 * count && offsets[2] == 0 && offsets[3] == 1);
  CHECK_OK(tf_encoding_tensor(encoding, TF_ENCODING_IDS, &tensor));
  CHECK_OK(tf_tensor_get_info(tensor, &info));
  CHECK(info.dtype == TF_I64 && info.rank == 2 && info.shape[0] == 2 && (size_t)info.shape[1] == count);
  tf_tensor_free(tensor);
  CHECK_STATUS(tf_encoding_row(encoding, 2, TF_ENCODING_IDS, &ids, &count), TF_OUT_OF_RANGE);
  CHECK_STATUS(tf_encoding_row(encoding, 0, 77, &ids, &count), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_encoding_tensor(encoding, TF_ENCODING_OFFSETS, &tensor), TF_INVALID_ARGUMENT);
  tf_encoding_free(encoding);

  CHECK_OK(tf_tokenizer_encode(tokenizer, texts, NULL, 2, NULL, &encoding));
  CHECK_STATUS(tf_encoding_tensor(encoding, TF_ENCODING_IDS, &tensor), TF_SHAPE_MISMATCH);
  tf_encoding_free(encoding);

  /* Windows of a long text are rows of their own. */
  CHECK_OK(tf_tokenizer_encode(tokenizer, texts + 1, NULL, 1,
                               "{\"truncation\":true,\"max_length\":5,\"stride\":1,\"return_overflowing_tokens\":true}",
                               &encoding));
  CHECK(tf_encoding_rows(encoding) > 1);
  CHECK_OK(tf_encoding_row(encoding, 1, TF_ENCODING_SAMPLE, &sample, &count));
  CHECK(count == 1 && sample[0] == 0);
  tf_encoding_free(encoding);

  pairs[0] = pairs[1] = texts[0];
  CHECK_OK(tf_tokenizer_encode(tokenizer, texts, pairs, 1, "{}", &encoding));
  CHECK_OK(tf_encoding_row(encoding, 0, TF_ENCODING_TYPE_IDS, &ids, &count));
  CHECK(ids[0] == 0 && ids[count - 1] == 1);
  CHECK_OK(tf_encoding_row(encoding, 0, TF_ENCODING_IDS, &ids, &count));
  CHECK_OK(tf_tokenizer_decode(tokenizer, ids, count, 1, &text, &size));
  CHECK(strcmp(text, "a cat a cat") == 0 && size == strlen(text));
  tf_string_free(text);
  tf_encoding_free(encoding);

  CHECK_STATUS(tf_tokenizer_encode(tokenizer, texts, NULL, 1, "{\"truncation\":true}", &encoding), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tokenizer_encode(tokenizer, texts, NULL, 1, "{\"padding\":\"left\"}", &encoding), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tokenizer_encode(tokenizer, texts, NULL, 1, "{\"paddding\":true}", &encoding), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tokenizer_encode(tokenizer, texts, NULL, 1, "{\"max_length\":\"5\"}", &encoding), TF_INVALID_ARGUMENT);

  texts[0].data = "[CLS]";
  CHECK_OK(tf_tokenizer_token_to_id(tokenizer, texts[0], &id));
  CHECK(id == 2);
  CHECK_OK(tf_tokenizer_id_to_token(tokenizer, id, &text, NULL));
  CHECK(strcmp(text, "[CLS]") == 0);
  tf_string_free(text);
  missing.data = "no such token";
  missing.size = 13;
  CHECK_STATUS(tf_tokenizer_token_to_id(tokenizer, missing, &id), TF_NOT_FOUND);
  CHECK_STATUS(tf_tokenizer_id_to_token(tokenizer, -5, &text, NULL), TF_NOT_FOUND);
  CHECK(text == NULL);
}

static void test_streams(tf_tokenizer* tokenizer) {
  tf_text text, piece;
  tf_encoding* encoding = NULL;
  tf_text_stream* stream = NULL;
  const int32_t* ids = NULL;
  char joined[256] = "";
  size_t count = 0, i;
  int32_t stopped = 0;

  text.data = "a cat and a dog";
  text.size = strlen(text.data);
  CHECK_OK(tf_tokenizer_encode(tokenizer, &text, NULL, 1, NULL, &encoding));
  CHECK_OK(tf_encoding_row(encoding, 0, TF_ENCODING_IDS, &ids, &count));
  CHECK_OK(tf_text_stream_create(tokenizer, NULL, &stream));
  for (i = 0; i < count; ++i) {
    CHECK_OK(tf_text_stream_push(stream, ids[i], &piece, &stopped));
    CHECK(stopped == 0);
    strncat(joined, piece.data, piece.size);
  }
  CHECK_OK(tf_text_stream_finish(stream, &piece));
  strncat(joined, piece.data, piece.size);
  CHECK(strcmp(joined, "a cat and a dog") == 0);
  tf_text_stream_free(stream);

  joined[0] = '\0';
  CHECK_OK(tf_text_stream_create(tokenizer, "{\"stop_strings\":[\" and\"]}", &stream));
  for (i = 0; i < count && !stopped; ++i) {
    CHECK_OK(tf_text_stream_push(stream, ids[i], &piece, &stopped));
    strncat(joined, piece.data, piece.size);
  }
  CHECK(stopped == 1 && strcmp(joined, "a cat") == 0);
  tf_text_stream_free(stream);
  CHECK_STATUS(tf_text_stream_create(tokenizer, "{\"stop\":1}", &stream), TF_INVALID_ARGUMENT);
  tf_encoding_free(encoding);
}

static void test_chat(tf_tokenizer* tokenizer) {
  static const char messages[] = "[{\"role\":\"user\",\"content\":\"Hi\"}]";
  static const char options[] =
      "{\"chat_template\":\"{{ name }}:{% for m in messages %}{{ m.role }}={{ m.content }}{% endfor %}"
      "{% if add_generation_prompt %}!{% endif %}\",\"template_variables\":{\"name\":\"x\"}}";
  char* text = NULL;
  size_t size = 0;
  CHECK_STATUS(tf_tokenizer_chat(tokenizer, messages, NULL, &text, &size), TF_UNSUPPORTED); /* it has no template */
  CHECK_OK(tf_tokenizer_chat(tokenizer, messages, options, &text, &size));
  CHECK(text != NULL && strcmp(text, "x:user=Hi!") == 0 && size == 10);
  tf_string_free(text);
  CHECK_STATUS(tf_tokenizer_chat(tokenizer, "{}", options, &text, &size), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tokenizer_chat(tokenizer, "[", options, &text, &size), TF_PARSE);
  CHECK(size == 0 && text == NULL);
}

void test_tokenizers(void) {
  tf_tokenizer *tokenizer = open_bert(), *other = NULL;
  char* json = NULL;
  CHECK_OK(tf_tokenizer_info(tokenizer, &json));
  CHECK(strstr(json, "\"vocab_size\":") != NULL && strstr(json, "\"special_tokens\":{") != NULL);
  tf_string_free(json);
  test_encoding(tokenizer);
  test_streams(tokenizer);
  test_chat(tokenizer);
  CHECK_STATUS(tf_tokenizer_open("no-such-org/no-such-model", &other), TF_NOT_FOUND);
  CHECK(other == NULL);
  tf_tokenizer_free(tokenizer);
}
