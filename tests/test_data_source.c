/* Sources: the same samples in blocks of any size, again after a rewind, and from any sample on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/source.h"
#include "harness.h"
#include "test_data.h"

static struct weft_source *open_source(const char *path, const weft_dataset_options *options)
{
    struct weft_source *source = NULL;
    weft_error err = {0};
    weft_status status = weft_source_open(path, options, &source, &err);
    return CHECK_OK(status, &err) ? source : NULL;
}

/* Room for `capacity` samples. */
static struct weft_block room_for(const struct weft_source *source, size_t capacity)
{
    struct weft_block block = {.capacity = capacity};
    block.x = calloc(capacity * source->extent.features, weft_dtype_size(source->dtype));
    block.y = calloc(capacity * source->n_labels + 1, sizeof *block.y);
    return block;
}

static void free_room(struct weft_block *block)
{
    free(block->x);
    free(block->y);
}

/* Compares a block with samples from `first` on of one that has all. */
static void same_samples(const struct weft_source *source, const struct weft_block *part,
                         size_t first, const struct weft_block *all)
{
    size_t row = source->extent.features * weft_dtype_size(source->dtype);
    size_t labels = source->n_labels;
    if (CHECK(first + part->n <= all->n)) {
        CHECK(memcmp(part->x, (unsigned char *)all->x + first * row, part->n * row) == 0);
        CHECK(memcmp(part->y, all->y + first * labels, part->n * labels * sizeof(double)) == 0);
    }
}

/* Reads to the end in blocks of `capacity`. */
static void read_in_blocks(struct weft_source *source, size_t capacity, size_t first,
                           const struct weft_block *all)
{
    struct weft_block block = room_for(source, capacity);
    weft_error err = {0};
    do {
        if (!CHECK_OK(weft_source_read(source, &block, &err), &err)) {
            break;
        }
        same_samples(source, &block, first, all);
        first += block.n;
    } while (block.n == capacity);
    CHECK_UINT(first, all->n);
    CHECK_OK(weft_source_read(source, &block, &err), &err);
    CHECK_UINT(block.n, 0);
    free_room(&block);
}

void check_source(const char *path, const weft_dataset_options *options, size_t n, bool can_seek)
{
    struct weft_source *source = open_source(path, options);
    if (source == NULL) {
        return;
    }
    weft_error err = {0};
    struct weft_block all = room_for(source, n + 1);
    if (CHECK_OK(weft_source_read(source, &all, &err), &err) && CHECK_UINT(all.n, n)) {
        CHECK(source->extent.samples == 0 || source->extent.samples == n);
        CHECK_INT(source->can_seek, can_seek);
        for (size_t capacity = 1; capacity <= n + 1; capacity += capacity < 4 ? 1 : 5) {
            CHECK_OK(weft_source_rewind(source, &err), &err);
            read_in_blocks(source, capacity, 0, &all);
        }
        for (size_t first = 0; can_seek && first < n; first++) {
            CHECK_OK(weft_source_seek(source, first, &err), &err);
            read_in_blocks(source, 3, first, &all);
        }
    }
    free_room(&all);
    weft_source_close(source);
}

static void idx_files(void)
{
    const weft_dataset_options options = weft_dataset_options_default();
    const char *images = write_bytes("images", small_images(11));
    const char *labels = write_bytes("labels", small_labels(11));
    struct bytes plain = small_images(11);
    const char *packed = write_bytes("images.gz", gzip(plain.at, plain.n));
    bytes_free(&plain);
    check_source(pair_of(images, labels), &options, 11, true);
    check_source(pair_of(packed, labels), &options, 11, false);
    const weft_dataset_options none = with_labels(WEFT_LABELS_NONE);
    check_source(packed, &none, 11, false);
    const uint32_t dims[2] = {9, 4};
    struct bytes wide = idx_header(0x0C, dims, 2);
    for (size_t i = 0; i < 36; i++) {
        bytes_add_big_endian(&wide, (uint64_t)i * 7919, 4);
    }
    check_source(write_bytes("wide", wide), &none, 9, true);
}

static void tables(void)
{
    static const char text[] = "size,\"kind, of\",width\n1,b,2\n3,a,4\n5,b,6\n7,c,8.5\n";
    const weft_dataset_options by_index = with_label("1");
    const weft_dataset_options values = with_label("2,0");
    check_source(write_text("table.csv", text), &by_index, 4, false);
    check_source(write_bytes("table.csv.gz", gzip(text, sizeof text - 1)), &by_index, 4, false);
    check_source(write_text("numbers.csv", "\xEF\xBB\xBF"
                                           "1,2,3\n4,5,6\n7,8,9\n"),
                 &values, 3, false);
}

/* What comes behind the last sample belongs to reading it. */
static void broken_at_the_end(void)
{
    enum { N = 2000 }; /* more than is looked at ahead */
    const weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    struct bytes plain = small_images(N);
    struct bytes packed = gzip(plain.at, plain.n);
    packed.at[packed.n - 8] ^= 1; /* of the CRC-32 */
    bytes_free(&plain);
    struct weft_source *source = open_source(write_bytes("broken.gz", packed), &options);
    if (source == NULL) {
        return;
    }
    struct weft_block block = room_for(source, N / 2);
    weft_error err = {0};
    for (int pass = 0; pass < 2; pass++) {
        CHECK_OK(weft_source_read(source, &block, &err), &err);
        CHECK_UINT(block.n, N / 2);
        CHECK_STATUS(weft_source_read(source, &block, &err), WEFT_ERR_FORMAT, &err);
        CHECK_HAS(err.message, "check sum");
        CHECK_OK(weft_source_rewind(source, &err), &err);
    }
    free_room(&block);
    weft_source_close(source);
}

/* A file that shrinks between the header and the samples. */
static void shrinking(void)
{
    enum { N = 60000 }; /* more than is read ahead */
    const weft_dataset_options options = with_labels(WEFT_LABELS_NONE);
    const char *path = write_bytes("shrinking", small_images(N));
    struct weft_source *source = open_source(path, &options);
    if (source == NULL) {
        return;
    }
    struct weft_block block = room_for(source, N);
    weft_error err = {0};
    CHECK(truncate(path, 300000) == 0);
    CHECK_STATUS(weft_source_read(source, &block, &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, path);
    CHECK_HAS(err.message, "holds 299984 bytes of data, its header promises 360000");
    free_room(&block);
    weft_source_close(source);
}

CU_TestInfo source_tests[] = {
    {"idx files", idx_files}, {"tables", tables}, {"broken at the end", broken_at_the_end},
    {"shrinking", shrinking}, CU_TEST_INFO_NULL,
};
