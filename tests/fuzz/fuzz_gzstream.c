/* Decompresses inputs, whole and from the middle on: the same bytes, or an error. */
#include <stdlib.h>
#include <string.h>

#include "data/gzstream.h"
#include "fuzz_file.h"

#define MOST ((size_t)1 << 20)

static void read_twice(struct weft_gzstream *stream)
{
    static unsigned char first[MOST], second[MOST];
    weft_error err = {0};
    size_t n = 0, got = 1;
    weft_status status = WEFT_OK;
    for (size_t step = 1; status == WEFT_OK && got > 0 && n < MOST; step = 2 * step + 1) {
        size_t room = step < MOST - n ? step : MOST - n;
        status = weft_gzstream_read(stream, first + n, room, &got, &err);
        n += status == WEFT_OK ? got : 0;
    }
    FUZZ_MUST(status == WEFT_OK || strchr(err.message, '\n') == NULL);
    if (status == WEFT_OK && n > 0) {
        FUZZ_MUST(weft_gzstream_seek(stream, n / 2, &err) == WEFT_OK);
        FUZZ_MUST(weft_gzstream_read(stream, second, n - n / 2, &got, &err) == WEFT_OK);
        FUZZ_MUST(got == n - n / 2 && memcmp(second, first + n / 2, got) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct weft_gzstream *stream = NULL;
    weft_error err = {0};
    if (weft_gzstream_open(fuzz_file(0, bytes, n), &stream, &err) == WEFT_OK) {
        read_twice(stream);
    }
    weft_gzstream_close(stream);
    return 0;
}
