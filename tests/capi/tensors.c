/* Tensors, ops, gradients, and what goes wrong with them. */
#include <math.h>
#include <stdlib.h>

#include "check.h"

static tf_tensor* op(const char* name, tf_tensor* a, tf_tensor* b, const char* attributes) {
  const tf_tensor* inputs[2];
  tf_tensor* out = NULL;
  inputs[0] = a;
  inputs[1] = b;
  CHECK_OK(tf_op(name, inputs, (size_t)(a != NULL) + (size_t)(b != NULL), attributes, &out));
  return out;
}

static void check_values(const tf_tensor* tensor, const float* expected, size_t count) {
  float values[64];
  size_t i;
  CHECK_OK(tf_tensor_copy(tensor, values, count * sizeof(float)));
  for (i = 0; i < count; ++i) CHECK(fabsf(values[i] - expected[i]) <= 1e-6f * (1 + fabsf(expected[i])));
}

static int reads = 0;
static void on_read(void* user, tf_status status, const void* data, size_t bytes) {
  CHECK(status == TF_OK && bytes == 4 * sizeof(float) && user == &reads);
  CHECK(((const float*)data)[3] == 4.0f);
  ++reads;
}

void test_tensors(void) {
  const float values[6] = {1, 2, 3, 4, 5, 6};
  const float sums[2] = {6, 15}, product[4] = {14, 32, 32, 77}, plus[6] = {11, 12, 13, 14, 15, 16};
  const int64_t shape[2] = {2, 3}, square[2] = {2, 2};
  tf_tensor_info info = {sizeof(tf_tensor_info), 0, 0, 0, 0, 0, 0, 0, {0}};
  tf_tensor *x = floats(values, 2, shape), *y, *z, *moved;
  char* json = NULL;

  CHECK_OK(tf_tensor_get_info(x, &info));
  CHECK(info.dtype == TF_F32 && info.rank == 2 && info.shape[0] == 2 && info.shape[1] == 3);
  CHECK(info.elements == 6 && info.bytes == 24 && info.is_host == 1 && info.is_contiguous == 1 && !info.requires_grad);
  check_values(x, values, 6);

  y = op("sum", x, NULL, "{\"dims\":[1]}");
  check_values(y, sums, 2);
  tf_tensor_free(y);
  moved = op("transpose", x, NULL, "{\"dim0\":0,\"dim1\":-1}");
  CHECK_OK(tf_tensor_get_info(moved, &info));
  CHECK(info.shape[0] == 3 && info.is_contiguous == 0);
  z = op("matmul", x, moved, NULL);
  check_values(z, product, 4);
  tf_tensor_free(z);
  tf_tensor_free(moved);
  z = op("add", x, NULL, "{\"scalar\":10}");
  check_values(z, plus, 6);
  tf_tensor_free(z);
  z = op("arange", NULL, NULL, "{\"start\":1,\"end\":5,\"dtype\":\"f32\"}");
  CHECK_OK(tf_tensor_read(z, on_read, &reads));
  CHECK(reads == 1);
  tf_tensor_free(z);

  /* Optional inputs may be NULL in the middle. */
  {
    const tf_tensor* inputs[3];
    tf_tensor* out = NULL;
    inputs[0] = x;
    inputs[1] = NULL;
    inputs[2] = NULL;
    CHECK_OK(tf_op("layer_norm", inputs, 3, "{\"eps\":0}", &out));
    tf_tensor_free(out);
    inputs[0] = NULL;
    CHECK_STATUS(tf_op("layer_norm", inputs, 3, NULL, &out), TF_INVALID_ARGUMENT);
    CHECK(out == NULL);
  }

  CHECK_STATUS(tf_op("matmul", (const tf_tensor* const[]){x, x}, 2, NULL, &y), TF_SHAPE_MISMATCH);
  CHECK(strstr(tf_last_error_message(), "[2, 3]") != NULL);
  CHECK_STATUS(tf_op("no_such_op", NULL, 0, NULL, &y), TF_NOT_FOUND);
  CHECK_STATUS(tf_op("sum", (const tf_tensor* const[]){x}, 1, "{\"axis\":0}", &y), TF_INVALID_ARGUMENT);
  CHECK(strstr(tf_last_error_message(), "dims keepdim") != NULL);
  CHECK_STATUS(tf_op("sum", (const tf_tensor* const[]){x}, 1, "{\"dims\":", &y), TF_PARSE);
  CHECK_STATUS(tf_op("sum", (const tf_tensor* const[]){x}, 1, "{\"dims\":[7]}", &y), TF_OUT_OF_RANGE);
  CHECK_STATUS(tf_op("cast", (const tf_tensor* const[]){x}, 1, "{\"dtype\":\"float\"}", &y), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_op("add", (const tf_tensor* const[]){x}, 1, NULL, &y), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tensor_create(TF_F32, square, 2, values, 20, &y), TF_SHAPE_MISMATCH);
  CHECK(y == NULL);
  CHECK_STATUS(tf_tensor_create(99, square, 2, values, 16, &y), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tensor_create(TF_F32, square, 9, values, 16, &y), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tensor_copy(x, NULL, 24), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tensor_copy(x, &reads, 4), TF_SHAPE_MISMATCH);
  CHECK_STATUS(tf_tensor_read(x, NULL, NULL), TF_INVALID_ARGUMENT);

  CHECK_OK(tf_ops(&json));
  CHECK(strstr(json, "\"name\":\"softmax\"") != NULL);
  tf_string_free(json);
  CHECK(strcmp(tf_dtype_name(TF_BOOL), "bool") == 0 && strcmp(tf_dtype_name(TF_BF16), "bf16") == 0);
  CHECK(tf_dtype_name(-1) == NULL && tf_dtype_name(1000) == NULL);
  tf_tensor_free(x);
}

void test_gradients(void) {
  const float values[2] = {3, -4}, doubled[2] = {6, -8};
  const int64_t shape[1] = {2};
  tf_tensor *x = floats(values, 1, shape), *squared, *total, *grad, *detached;
  tf_tensor_info info = {sizeof(tf_tensor_info), 0, 0, 0, 0, 0, 0, 0, {0}};
  tf_tensor* whole = NULL;

  CHECK_OK(tf_tensor_set_requires_grad(x, 1));
  CHECK_OK(tf_tensor_grad(x, &grad));
  CHECK(grad == NULL);
  squared = op("mul", x, x, NULL);
  total = op("sum", squared, NULL, NULL);
  CHECK_OK(tf_tensor_backward(total, NULL));
  CHECK_OK(tf_tensor_grad(x, &grad));
  check_values(grad, doubled, 2);
  tf_tensor_free(grad);
  CHECK_OK(tf_tensor_clear_grad(x));
  CHECK_OK(tf_tensor_grad(x, &grad));
  CHECK(grad == NULL);
  CHECK(tf_tensor_backward(squared, NULL) != TF_OK); /* no scalar and no seed */
  CHECK_OK(tf_tensor_backward(squared, x));
  CHECK_OK(tf_tensor_detach(squared, &detached));
  CHECK_OK(tf_tensor_get_info(detached, &info));
  CHECK(info.requires_grad == 0);
  tf_tensor_free(detached);
  tf_tensor_free(total);
  tf_tensor_free(squared);

  CHECK(tf_set_grad_enabled(0) == 1 && tf_set_grad_enabled(0) == 0);
  squared = op("mul", x, x, NULL);
  CHECK_OK(tf_tensor_get_info(squared, &info));
  CHECK(info.requires_grad == 0);
  CHECK(tf_set_grad_enabled(1) == 0);
  tf_tensor_free(squared);

  whole = op("arange", NULL, NULL, "{\"end\":3}");
  CHECK_STATUS(tf_tensor_set_requires_grad(whole, 1), TF_DTYPE_MISMATCH);
  tf_tensor_free(whole);
  tf_tensor_free(x);
}

void test_errors(void) {
  tf_tensor* tensor = (tf_tensor*)&checks_passed;
  tf_tensor_info info = {0, 0, 0, 0, 0, 0, 0, 0, {0}};
  tf_memory_info memory = {sizeof(tf_memory_info), 0, 0, 0, 0, 0, 0};
  char* json = NULL;
  struct {
    tf_memory_info known;
    int64_t later;
  } newer;

  CHECK(tf_abi_version() == TF_ABI_VERSION);
  CHECK(strlen(tf_version()) >= 5);
  CHECK(strcmp(tf_status_name(TF_OK), "ok") == 0 && strcmp(tf_status_name(TF_SHAPE_MISMATCH), "shape_mismatch") == 0);
  CHECK(strcmp(tf_status_name(-3), "unknown") == 0 && strcmp(tf_status_name(99), "unknown") == 0);
  CHECK(tf_last_error_code() == TF_OK && tf_last_error_message()[0] == '\0');

  CHECK_STATUS(tf_set_threads(-1), TF_INVALID_ARGUMENT);
  CHECK_OK(tf_set_threads(1));
  CHECK_OK(tf_build_info(&json));
  CHECK(strstr(json, "\"threads\":1") != NULL && strstr(json, "\"kernels\":") != NULL);
  tf_string_free(json);
  CHECK_STATUS(tf_set_threads(2), TF_INVALID_ARGUMENT); /* too late */

  CHECK_STATUS(tf_tensor_create(TF_F32, NULL, 1, NULL, 4, &tensor), TF_INVALID_ARGUMENT);
  CHECK(tensor == NULL);
  CHECK(tf_last_error_code() == TF_INVALID_ARGUMENT && strstr(tf_last_error_message(), "shape is NULL") != NULL);
  CHECK_STATUS(tf_tensor_create(TF_F32, NULL, 0, &checks_passed, 4, NULL), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_tensor_get_info(NULL, &info), TF_INVALID_ARGUMENT);
  CHECK_STATUS(tf_build_info(NULL), TF_INVALID_ARGUMENT);

  /* A caller that knows of less, and one that knows of more. */
  CHECK_OK(tf_memory(&memory));
  CHECK(memory.struct_size == sizeof(tf_memory_info));
  memory.struct_size = 4;
  CHECK_STATUS(tf_memory(&memory), TF_INVALID_ARGUMENT);
  memset(&newer, 0x55, sizeof(newer));
  newer.known.struct_size = sizeof(newer);
  CHECK_OK(tf_memory((tf_memory_info*)&newer));
  CHECK(newer.later == 0x5555555555555555);

  tf_tensor_free(NULL);
  tf_model_free(NULL);
  tf_tokenizer_free(NULL);
  tf_files_free(NULL);
  tf_file_free(NULL);
  tf_cancel_free(NULL);
  tf_session_free(NULL);
  tf_generation_free(NULL);
  tf_outputs_free(NULL);
  tf_encoding_free(NULL);
  tf_text_stream_free(NULL);
  tf_string_free(NULL);
}

void test_leaks(void) {
  tf_memory_info memory = {sizeof(tf_memory_info), 0, 0, 0, 0, 0, 0};
  CHECK_OK(tf_memory(&memory));
  CHECK(memory.live_handles == 0);
}
