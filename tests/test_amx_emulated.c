/* Floor 2: the product for AMX, its source compiled a second time with the tile instructions
 * emulated, so that tile shapes, ends, strides and configuration are tested on every machine. What
 * this cannot show: that the instructions are encoded right, and how fast they are. */
#include <string.h>

#include "kernels/kernels.h"

#include "amx_emulation.h"

#define TILE_CONFIGURE(p) amx_configure(p)
#define TILE_RELEASE() amx_release()
#define TILE_ZERO(t) amx_zero(t)
#define TILE_LOAD(t, p, stride) amx_load(t, p, stride)
#define TILE_STORE(t, p, stride) amx_store(t, p, stride)
#define TILE_DOT(c, a, b) amx_dot_bf16(c, a, b)
#define COPY_ROW(to, from, n)                                                                      \
    (memset(to, 0, 32 * sizeof(uint16_t)), memcpy(to, from, (n) * sizeof(uint16_t)))
#define AMX_BGEMM bgemm_emulated
#define AMX_ENTER enter_emulated
#define AMX_LEAVE leave_emulated
static void bgemm_emulated(const struct weft_bgemm *job);
static void enter_emulated(void);
static void leave_emulated(void);
#include "kernels/bgemm_amx_template.h"

#include "bgemm_check.h"
#include "harness.h"

static void every_edge(void)
{
    enter_emulated();
    check_bgemm_at_every_edge(bgemm_emulated, 32);
    leave_emulated();
}

static void same_bits_in_any_tile(void)
{
    enter_emulated();
    check_bgemm_same_bits_in_any_tile(bgemm_emulated);
    leave_emulated();
}

static void ends_of_the_range(void)
{
    enter_emulated();
    check_bgemm_at_the_ends_of_the_range(bgemm_emulated);
    leave_emulated();
}

/* 100 x 100 x 70: three by three pairs of tiles, a strip of 4 rows and one of 4 columns, three
 * steps of k. */
static void work_is_shared_by_tiles(void)
{
    enum { SIZE = 100, K = 70 };
    static uint16_t a[SIZE * K], b[SIZE * K];
    static float c[SIZE * SIZE];
    enter_emulated();
    amx_counts = (struct amx_counts){0};
    bgemm_emulated(
        &(struct weft_bgemm){SIZE, SIZE, K, a, K, 0, 0, b, 2 * SIZE, c, SIZE, false, NULL, 0});
    leave_emulated();
    size_t pairs = 9, down = 7, across = 6; /* tiles in the strips: 3 + 3 + 1 and 3 + 3 */
    CHECK_UINT(amx_counts.n_dots, 3 * (4 * pairs + down + across));
    CHECK_UINT(amx_counts.n_loads, 3 * (4 * pairs + (down + 3) + (across + 2)));
    CHECK_UINT(amx_counts.n_stores, 4 * pairs + down + across);
    CHECK_UINT(amx_counts.n_configured, 0);
    CHECK_UINT(amx_counts.n_released, 1);
}

static CU_TestInfo tests[] = {
    {"every edge of the tile", every_edge},
    {"same bits in any tile", same_bits_in_any_tile},
    {"ends of the range", ends_of_the_range},
    {"work is shared by tiles", work_is_shared_by_tiles},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"amx", NULL, NULL, NULL, NULL, tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
