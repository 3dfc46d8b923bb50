/* The model floor. */
#include "test_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const CU_SuiteInfo suites[] = {
    {"export", NULL, NULL, NULL, NULL, export_tests},
    {"model", NULL, NULL, NULL, NULL, model_tests},
    {"columns", NULL, NULL, NULL, NULL, model_columns_tests},
    {"safetensors", NULL, NULL, NULL, NULL, safetensors_tests},
    CU_SUITE_INFO_NULL,
};

void put_file(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

const char *put_safetensors(const char *header, const void *data, size_t n_data)
{
    static char path[256];
    size_t len = strlen(header);
    unsigned char *bytes = calloc(8 + len + 1 + n_data, 1);
    if (bytes == NULL) {
        perror("calloc");
        exit(1);
    }
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)((uint64_t)len >> (8 * i));
    }
    memcpy(bytes + 8, header, len + 1);
    if (data != NULL) {
        memcpy(bytes + 8 + len, data, n_data);
    }
    snprintf(path, sizeof path, "%s/made.safetensors", harness_temp_dir());
    put_file(path, bytes, 8 + len + n_data);
    free(bytes);
    return path;
}

unsigned char *get_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*size + 1);
    if (bytes == NULL || fread(bytes, 1, *size, file) != *size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return bytes;
}

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
