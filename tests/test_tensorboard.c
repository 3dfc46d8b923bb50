/* TensorBoard's event files, byte for byte; tests/interop reads them with TensorBoard's reader. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "harness.h"
#include "track/event_file.h"
#include "track/tensorboard.h"

static void check_sums(void)
{
    CHECK_UINT(weft_crc32c("123456789", 9), 0xE3069283u);
    CHECK_UINT(weft_crc32c("", 0), 0);
}

/* Made by TensorFlow's writer, wall time 1. */
static const unsigned char version[] = {0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f,
                                        0x4b, 0x22, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf0,
                                        0x3f, 0x1a, 0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45,
                                        0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0x86, 0xbf, 0x57, 0x7a};
static const unsigned char scalar[] = {
    0x1e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xd9, 0xdc, 0x12, 0x32, 0x09, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xf0, 0x3f, 0x10, 0x01, 0x2a, 0x11, 0x0a, 0x0f, 0x0a, 0x08, 0x76, 0x61, 0x6c,
    0x2f, 0x6c, 0x6f, 0x73, 0x73, 0x15, 0x00, 0x00, 0x00, 0x3f, 0xc2, 0x5a, 0x5d, 0x3c};

static void records(void)
{
    struct weft_bytes record = {0}, summary = {0};
    weft_event_version(&record, 1);
    CHECK_UINT(record.n, sizeof version);
    CHECK_BYTES(record.data, version, sizeof version);
    weft_summary_scalar(&summary, "val/loss", 0.5);
    weft_event_record(&record, 1, 1, &summary);
    CHECK_UINT(record.n, sizeof version + sizeof scalar);
    CHECK_BYTES(record.data + sizeof version, scalar, sizeof scalar);
    weft_bytes_release(&record);
    weft_bytes_release(&summary);
}

/* Where the bytes of `n` doubles of a packed field begin: behind its key and size. */
static const unsigned char *doubles_of(const struct weft_bytes *bytes, unsigned field, size_t n)
{
    const unsigned char head[] = {(unsigned char)(field << 3 | 2),
                                  (unsigned char)(8 * n % 128 + 128), (unsigned char)(8 * n / 128)};
    for (size_t i = 0; i + sizeof head + 8 * n <= bytes->n; i++) {
        if (memcmp(bytes->data + i, head, sizeof head) == 0) {
            return bytes->data + i + sizeof head;
        }
    }
    return NULL;
}

static void histograms(void)
{
    enum { N = 3001 };
    static float values[N + 2];
    for (int i = 0; i < N; i++) {
        values[i] = (float)(i % 3001) / 100 - 5; /* -5 .. 25 */
    }
    values[N] = NAN;
    values[N + 1] = HUGE_VALF;
    struct weft_bytes summary = {0};
    weft_summary_histogram(&summary, "w", values, N + 2);
    const unsigned char *limits = doubles_of(&summary, 6, WEFT_EVENT_BUCKETS);
    const unsigned char *counts = doubles_of(&summary, 7, WEFT_EVENT_BUCKETS);
    if (CHECK(limits != NULL && counts != NULL)) {
        double sum = 0;
        for (size_t i = 0; i < WEFT_EVENT_BUCKETS; i++) {
            double limit, count;
            memcpy(&limit, limits + 8 * i, 8);
            memcpy(&count, counts + 8 * i, 8);
            CHECK(fabs(limit - (-5 + (double)(i + 1))) < 1e-5);
            CHECK(fabs(count - 100) <= 2);
            sum += count;
        }
        CHECK(sum == N);
    }
    weft_bytes_release(&summary);
    weft_summary_histogram(&summary, "none", values + N, 2);
    CHECK_UINT(summary.n, 0);
    weft_summary_histogram(&summary, "constant", (const float[]){2, 2}, 2);
    CHECK(summary.n > 0 && !summary.failed);
    weft_bytes_release(&summary);
}

static void failures(void)
{
    weft_error err = {0};
    weft_tensorboard *board = NULL;
    CHECK_STATUS(weft_tensorboard_open(&(struct weft_tensorboard_options){.dir = "/dev/null/board"},
                                       &board, &err),
                 WEFT_ERR_IO, &err);
    CHECK(board == NULL && strstr(err.message, "/dev/null/board") != NULL);
    CHECK_STATUS(weft_tensorboard_open(&(struct weft_tensorboard_options){.dir = ""}, &board, &err),
                 WEFT_ERR_ARG, &err);
    char dir[] = "/tmp/weft-board-XXXXXX";
    if (!CHECK(mkdtemp(dir) != NULL)) {
        return;
    }
    for (size_t i = 1;; i++) {
        weft_mem_fail_at(i);
        weft_status status =
            weft_tensorboard_open(&(struct weft_tensorboard_options){.dir = dir}, &board, &err);
        weft_mem_fail_at(0);
        if (status == WEFT_OK) {
            CHECK(i > 4);
            break;
        }
        CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
    }
    CHECK_STATUS(weft_tensorboard_image(board, "tag", 1, "/dev/null", &err), WEFT_ERR_FORMAT, &err);
    CHECK_STATUS(weft_tensorboard_image(board, "tag", 1, "/nowhere", &err), WEFT_ERR_IO, &err);
    weft_tensorboard_close(board);
    weft_tensorboard_close(NULL);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK_INT(system(command), 0);
}

static CU_TestInfo tests[] = {
    {"check sums", check_sums}, {"records", records}, {"histograms", histograms},
    {"failures", failures},     CU_TEST_INFO_NULL,
};

static CU_SuiteInfo suites[] = {
    {.pName = "tensorboard", .pTests = tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
