/* The test tables of src/data, one for each unit, and what they share: files made by the test
 * itself, and loads that must fail. */
#ifndef WEFT_TESTS_TEST_DATA_H
#define WEFT_TESTS_TEST_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/dataset.h>

#include <CUnit/CUnit.h>

extern CU_TestInfo gzstream_tests[], number_tests[], idx_tests[], csv_tests[], labels_tests[],
    dataset_tests[], copy_tests[], scaling_tests[], columns_tests[], png_tests[], source_tests[],
    numpy_tests[], libsvm_tests[], shuffle_tests[];

/* Bytes that grow; a zeroed struct is empty. */
struct bytes {
    unsigned char *at;
    size_t n, room;
};

void bytes_add(struct bytes *bytes, const void *more, size_t n);
/* The lowest `n` bytes of value, the highest first. */
void bytes_add_big_endian(struct bytes *bytes, uint64_t value, size_t n);
void bytes_free(struct bytes *bytes);

/* An IDX header; dims has n_dims entries. */
struct bytes idx_header(unsigned type, const uint32_t *dims, size_t n_dims);

/* Bytes as one gzip member. */
struct bytes gzip(const void *content, size_t n);

/* A file in the temporary directory with that content; frees the bytes. */
const char *write_bytes(const char *name, struct bytes bytes);
const char *write_text(const char *name, const char *text);

/* "A,B"; valid until the program ends. */
const char *pair_of(const char *images, const char *labels);

/* A plain pair of n samples of 2 x 3 bytes counting up from 0, and labels 0, 1, 2, 0, 1, ... */
struct bytes small_images(size_t n);
struct bytes small_labels(size_t n);

/* Loads what must load; NULL where it did not, after a failed check. Free it. */
weft_dataset *load(const char *path, const weft_dataset_options *options);

/* The load must fail with that status and a message of one line with all the parts (up to a NULL)
 * in it, leave the result alone, and take at most 64 MB and 4 times the size of the file. */
void refuses(const char *path, const weft_dataset_options *options, weft_status status, ...);
#define REFUSES(path, options, ...) refuses((path), (options), __VA_ARGS__, (const char *)NULL)

/* Loads again and again, each time with one more allocation let through before one fails. */
void survives_lack_of_memory(const char *path, const weft_dataset_options *options);

/* Reads n samples, which must be all, as a stream: in blocks of many sizes, again after a rewind,
 * and where it must be able to from any sample on; always the same. */
void check_source(const char *path, const weft_dataset_options *options, size_t n, bool can_seek);

/* Options with one field set. */
weft_dataset_options with_labels(weft_label_kind labels);
weft_dataset_options with_label(const char *label);

/* Feature j of sample i. */
double feature(const weft_dataset *data, size_t i, size_t j);

#endif
