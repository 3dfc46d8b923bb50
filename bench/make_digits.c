/* Makes a set of as many digits as asked for out of the 60,000 of MNIST: each is one of them, moved
 * by up to 3 pixels in each direction, its ink made lighter or darker, and specked with noise. Same
 * arguments, same bytes.
 *
 * usage: make_digits MNIST_DIRECTORY N OUT_DIRECTORY
 *
 * writes train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz; 4,000,000 of them are 3.1 GB
 * before compression. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, N_DIGITS = 60000, MOST_SHIFT = 3 };

static void die(const char *what, const char *path)
{
    fprintf(stderr, "make_digits: %s %s\n", what, path);
    exit(1);
}

static gzFile open_file(const char *directory, const char *name, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    gzFile file = gzopen(path, mode);
    if (file == NULL) {
        die("cannot open", path);
    }
    gzbuffer(file, 1 << 17);
    return file;
}

/* What stands behind the header of an IDX file. */
static unsigned char *read_idx(const char *directory, const char *name, unsigned header, unsigned n)
{
    gzFile file = open_file(directory, name, "rb");
    unsigned char *bytes = malloc(n), skipped[16];
    if (bytes == NULL || gzread(file, skipped, header) != (int)header ||
        gzread(file, bytes, n) != (int)n) {
        die("cannot read", name);
    }
    gzclose(file);
    return bytes;
}

static void write_bytes(gzFile file, const void *bytes, unsigned n)
{
    if (gzwrite(file, bytes, n) != (int)n) {
        die("cannot write", "");
    }
}

static void write_header(gzFile file, const uint32_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char bytes[4] = {(unsigned char)(words[i] >> 24), (unsigned char)(words[i] >> 16),
                                  (unsigned char)(words[i] >> 8), (unsigned char)words[i]};
        write_bytes(file, bytes, 4);
    }
}

/* splitmix64 (Steele, Lea & Flood 2014) */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void make_digit(const unsigned char *from, uint64_t seed, unsigned char *to)
{
    uint64_t state = seed, bits = next(&state);
    int dx = (int)(bits % (2 * MOST_SHIFT + 1)) - MOST_SHIFT;
    int dy = (int)(bits / 16 % (2 * MOST_SHIFT + 1)) - MOST_SHIFT;
    unsigned ink = 192 + (unsigned)(bits >> 32) % 64; /* of 256 */
    memset(to, 0, PIXELS);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            int fx = x - dx, fy = y - dy;
            if (fx >= 0 && fx < SIDE && fy >= 0 && fy < SIDE) {
                to[y * SIDE + x] = (unsigned char)(from[fy * SIDE + fx] * ink / 256);
            }
        }
    }
    for (int k = 0; k < 8; k++) {
        bits = next(&state);
        to[bits % PIXELS] = (unsigned char)(bits >> 56);
    }
}

int main(int argc, char **argv)
{
    unsigned long n = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    if (n == 0 || n > UINT32_MAX) {
        fprintf(stderr, "usage: make_digits MNIST_DIRECTORY N OUT_DIRECTORY\n");
        return 2;
    }
    unsigned char *images = read_idx(argv[1], "train-images-idx3-ubyte.gz", 16, N_DIGITS * PIXELS);
    unsigned char *labels = read_idx(argv[1], "train-labels-idx1-ubyte.gz", 8, N_DIGITS);
    gzFile x = open_file(argv[3], "train-images-idx3-ubyte.gz", "wb1");
    gzFile y = open_file(argv[3], "train-labels-idx1-ubyte.gz", "wb1");
    write_header(x, (const uint32_t[]){0x803, (uint32_t)n, SIDE, SIDE}, 4);
    write_header(y, (const uint32_t[]){0x801, (uint32_t)n}, 2);
    for (unsigned long i = 0; i < n; i++) {
        unsigned char digit[PIXELS];
        size_t from = (size_t)(i * 7919 % N_DIGITS); /* coprime: all digits come in turn */
        make_digit(images + from * PIXELS, i, digit);
        write_bytes(x, digit, PIXELS);
        write_bytes(y, labels + from, 1);
    }
    if (gzclose(x) != Z_OK || gzclose(y) != Z_OK) {
        die("cannot write to", argv[3]);
    }
    free(images);
    free(labels);
    return 0;
}
