/* Files for the tests of src/data, and loads that must fail. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zlib.h>

#include "base/mem.h"
#include "harness.h"
#include "test_data.h"

static void *must(void *block)
{
    if (block == NULL) {
        perror("malloc");
        exit(1);
    }
    return block;
}

void bytes_add(struct bytes *bytes, const void *more, size_t n)
{
    if (n >= bytes->room - bytes->n) {
        bytes->room = 2 * (bytes->n + n) + 64;
        bytes->at = must(realloc(bytes->at, bytes->room));
    }
    if (n > 0) { /* else `more` may be NULL */
        memcpy(bytes->at + bytes->n, more, n);
    }
    bytes->n += n;
}

void bytes_add_big_endian(struct bytes *bytes, uint64_t value, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        unsigned char byte = (unsigned char)(value >> 8 * i);
        bytes_add(bytes, &byte, 1);
    }
}

void bytes_free(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){0};
}

struct bytes idx_header(unsigned type, const uint32_t *dims, size_t n_dims)
{
    struct bytes header = {0};
    bytes_add_big_endian(&header, type << 8 | n_dims, 4);
    for (size_t i = 0; i < n_dims; i++) {
        bytes_add_big_endian(&header, dims[i], 4);
    }
    return header;
}

struct bytes gzip(const void *content, size_t n)
{
    z_stream z = {0};
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        fprintf(stderr, "deflateInit2\n");
        exit(1);
    }
    struct bytes out = {.room = deflateBound(&z, n)};
    out.at = must(malloc(out.room));
    z.next_in = (unsigned char *)content;
    z.avail_in = (uInt)n;
    z.next_out = out.at;
    z.avail_out = (uInt)out.room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        fprintf(stderr, "deflate\n");
        exit(1);
    }
    out.n = z.total_out;
    deflateEnd(&z);
    return out;
}

const char *write_bytes(const char *name, struct bytes bytes)
{
    const char *path = harness_write_file(name, bytes.at, bytes.n);
    bytes_free(&bytes);
    return path;
}

const char *write_text(const char *name, const char *text)
{
    return harness_write_file(name, text, strlen(text));
}

const char *pair_of(const char *images, const char *labels)
{
    /* A file name of its own is what the harness keeps until the end; so is this. */
    static char *kept[64];
    static size_t n;
    size_t size = strlen(images) + strlen(labels) + 2;
    char **slot = &kept[n++ % 64];
    *slot = must(realloc(*slot, size));
    snprintf(*slot, size, "%s,%s", images, labels);
    return *slot;
}

struct bytes small_images(size_t n)
{
    const uint32_t dims[3] = {(uint32_t)n, 2, 3};
    struct bytes file = idx_header(0x08, dims, 3);
    for (size_t i = 0; i < 6 * n; i++) {
        unsigned char pixel = (unsigned char)i;
        bytes_add(&file, &pixel, 1);
    }
    return file;
}

struct bytes small_labels(size_t n)
{
    const uint32_t dims[1] = {(uint32_t)n};
    struct bytes file = idx_header(0x08, dims, 1);
    for (size_t i = 0; i < n; i++) {
        unsigned char label = (unsigned char)(i % 3);
        bytes_add(&file, &label, 1);
    }
    return file;
}

weft_dataset *load(const char *path, const weft_dataset_options *options)
{
    weft_error err = {0};
    weft_dataset *data = NULL;
    weft_status status = weft_dataset_load(path, options, &data, &err);
    CHECK_OK(status, &err);
    return status == WEFT_OK ? data : NULL;
}

/* A number of kilobytes that Linux keeps of this process (proc(5)), or 0. */
static size_t memory_of(const char *key)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    size_t kilobytes = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            kilobytes = strtoul(line + strlen(key), NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kilobytes;
}

/* Makes the peak of memory start anew and returns what is in use; 0 where that cannot be measured:
 * sanitizers keep what was freed. */
static size_t forget_peak(void)
{
#ifdef HARNESS_SANITIZED
    return 0;
#else
    FILE *file = fopen("/proc/self/clear_refs", "w");
    bool done = file != NULL && fputs("5", file) >= 0;
    done = file != NULL && fclose(file) == 0 && done;
    return done ? memory_of("VmRSS:") : 0;
#endif
}

/* A wrong file must not take much memory, whatever it promises. */
static void check_peak(const char *path, size_t before)
{
    struct stat info;
    size_t peak = before == 0 ? 0 : memory_of("VmHWM:");
    size_t bytes = stat(path, &info) == 0 ? (size_t)info.st_size : 0;
    size_t taken = peak > before ? peak - before : 0;
    if (!CHECK(taken * 1024 <= ((size_t)64 << 20) + 4 * bytes)) {
        printf("%s: %zu kB taken for a file of %zu bytes\n", path, taken, bytes);
    }
}

void refuses(const char *path, const weft_dataset_options *options, weft_status status, ...)
{
    weft_error err = {0};
    weft_dataset *data = NULL;
    size_t before = forget_peak();
    weft_status got = weft_dataset_load(path, options, &data, &err);
    check_peak(path, before);
    if (!check_status(got, status, &err, path, __FILE__, __LINE__)) {
        weft_dataset_free(data);
        return;
    }
    CHECK(data == NULL);
    CHECK_STATUS(err.status, status, &err);
    CHECK(strpbrk(err.message, "\n\r\t") == NULL);
    va_list parts;
    va_start(parts, status);
    for (const char *part; (part = va_arg(parts, const char *)) != NULL;) {
        CHECK_HAS(err.message, part);
    }
    va_end(parts);
}

void survives_lack_of_memory(const char *path, const weft_dataset_options *options)
{
    for (size_t i = 1; i < 10000; i++) {
        weft_error err = {0};
        weft_dataset *data = NULL;
        size_t before = weft_mem_count();
        weft_mem_fail_at(i);
        weft_status status = weft_dataset_load(path, options, &data, &err);
        weft_mem_fail_at(0);
        if (status == WEFT_OK) {
            CHECK(weft_mem_count() - before < i); /* else a failure went unseen */
            CHECK(i > 3);                         /* there was something to fail */
            weft_dataset_free(data);
            return;
        }
        if (!CHECK_STATUS(status, WEFT_ERR_NOMEM, &err)) {
            return;
        }
        CHECK_HAS(err.message, "no memory for ");
        CHECK(data == NULL);
    }
    bool ended = false; /* 10000 allocations are far more than any of these files needs */
    CHECK(ended);
}

weft_dataset_options with_labels(weft_label_kind labels)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.labels = labels;
    return options;
}

weft_dataset_options with_label(const char *label)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.label = label;
    return options;
}

double feature(const weft_dataset *data, size_t i, size_t j)
{
    weft_tensor x = weft_dataset_x(data);
    size_t at = i * x.ld + j;
    return x.dtype == WEFT_U8 ? (double)((const uint8_t *)x.data)[at]
                              : (double)((const float *)x.data)[at];
}
