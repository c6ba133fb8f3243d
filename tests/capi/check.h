/* Checks that count and go on; each test file is one function. Plain C99, as a user's program would be. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

#include <trustformers/capi/trustformers_c.h>

extern int checks_passed, checks_failed;
extern const char* goldens; /* the folder tests/goldens */

#define CHECK(condition) check_that((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_OK(call) check_status((call), TF_OK, #call, __FILE__, __LINE__)
#define CHECK_STATUS(call, status) check_status((call), (status), #call, __FILE__, __LINE__)

void check_that(int good, const char* what, const char* file, int line);
void check_status(tf_status got, tf_status expected, const char* what, const char* file, int line);
/* goldens/NAME in memory of its own, which the next call takes back. */
const char* golden_path(const char* name);
/* A whole file; free() it. */
char* read_whole(const char* path, size_t* size);
/* A tensor of floats or whole numbers. */
tf_tensor* floats(const float* values, int32_t rank, const int64_t* shape);
tf_tensor* integers(const int64_t* values, int32_t rank, const int64_t* shape);

void test_tensors(void);
void test_gradients(void);
void test_errors(void);
void test_tokenizers(void);
void test_models(void);
void test_files(void);
void test_generation(void);
void test_pipelines(void);
void test_leaks(void);

#endif
