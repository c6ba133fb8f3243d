/* The C interface as a C program sees it: main FOLDER_OF_GOLDENS. Prints failures and "N passed, N failed, N skipped". */
#include <stdlib.h>

#include "check.h"

int checks_passed = 0, checks_failed = 0;
const char* goldens = "";

void check_that(int good, const char* what, const char* file, int line) {
  if (good) {
    ++checks_passed;
    return;
  }
  ++checks_failed;
  printf("%s:%d: %s\n", file, line, what);
}

void check_status(tf_status got, tf_status expected, const char* what, const char* file, int line) {
  check_that(got == expected, what, file, line);
  if (got != expected)
    printf("  expected %s, got %s: %s\n%s\n", tf_status_name(expected), tf_status_name(got), tf_last_error_message(),
           tf_last_error_context());
}

const char* golden_path(const char* name) {
  static char path[4096];
  snprintf(path, sizeof(path), "%s/%s", goldens, name);
  return path;
}

char* read_whole(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  char* bytes = NULL;
  *size = 0;
  if (!file) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  bytes = malloc(*size + 1);
  if (bytes && fread(bytes, 1, *size, file) == *size) bytes[*size] = '\0';
  fclose(file);
  return bytes;
}

static tf_tensor* make(tf_dtype dtype, size_t item, const void* values, int32_t rank, const int64_t* shape) {
  tf_tensor* out = NULL;
  size_t bytes = item;
  int32_t i;
  for (i = 0; i < rank; ++i) bytes *= (size_t)shape[i];
  CHECK_OK(tf_tensor_create(dtype, shape, rank, values, bytes, &out));
  return out;
}

tf_tensor* floats(const float* values, int32_t rank, const int64_t* shape) {
  return make(TF_F32, sizeof(float), values, rank, shape);
}
tf_tensor* integers(const int64_t* values, int32_t rank, const int64_t* shape) {
  return make(TF_I64, sizeof(int64_t), values, rank, shape);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER_OF_GOLDENS\n", argv[0]);
    return 2;
  }
  goldens = argv[1];
  test_errors();
  test_tensors();
  test_gradients();
  test_tokenizers();
  test_models();
  test_files();
  test_generation();
  test_pipelines();
  test_leaks();
  printf("%d passed, %d failed, 0 skipped\n", checks_passed, checks_failed);
  return checks_failed > 0;
}
