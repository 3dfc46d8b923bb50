/* What the test files of the model floor share. */
#ifndef WEFT_TESTS_TEST_MODEL_H
#define WEFT_TESTS_TEST_MODEL_H

#include <stddef.h>

#include <CUnit/CUnit.h>

extern CU_TestInfo export_tests[], model_columns_tests[], model_tests[], safetensors_tests[];

/* Writes a safetensors file of this header, unpadded, and n_data bytes of data (zeros where data is
 * NULL). The name is valid until the next call. */
const char *put_safetensors(const char *header, const void *data, size_t n_data);

/* Writes a file whole. */
void put_file(const char *path, const void *bytes, size_t n);

/* Reads a file whole; free() the result. */
unsigned char *get_file(const char *path, size_t *size);

#endif
