/* The model floor. */
#include "test_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const CU_SuiteInfo suites[] = {
    {"safetensors", NULL, NULL, NULL, NULL, safetensors_tests},
    CU_SUITE_INFO_NULL,
};

static void put_all(const char *path, FILE *file, const void *bytes, size_t n)
{
    if (file == NULL || fwrite(bytes, 1, n, file) != n) {
        perror(path);
        exit(1);
    }
}

const char *put_safetensors(const char *header, const void *data, size_t n_data)
{
    static const unsigned char zeros[256];
    static char path[256];
    snprintf(path, sizeof path, "%s/made.safetensors", harness_temp_dir());
    FILE *file = fopen(path, "wb");
    unsigned char length[8];
    for (size_t i = 0; i < 8; i++) {
        length[i] = (unsigned char)((uint64_t)strlen(header) >> (8 * i));
    }
    put_all(path, file, length, sizeof length);
    put_all(path, file, header, strlen(header));
    put_all(path, file, data == NULL ? zeros : data, n_data);
    fclose(file);
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
