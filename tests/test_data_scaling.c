/* Scalings against values worked out by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <weft/scaling.h>

#include "base/mem.h"
#include "harness.h"
#include "test_data.h"

static weft_dataset *dataset_of(weft_dtype dtype, const void *values, size_t rows, size_t cols)
{
    weft_tensor x = weft_tensor_borrow(dtype, (void *)values, rows, cols, cols);
    weft_dataset *data = NULL;
    weft_error err = {0};
    CHECK_OK(weft_dataset_from_memory(&x, NULL, NULL, 0, &data, &err), &err);
    return data;
}

/* Fits and compares; n may be 0. */
static void check_fit(weft_dataset *data, weft_scale_kind asked, weft_scale_kind got, size_t n,
                      const float *shift, const float *scale)
{
    weft_scaling scaling = {0};
    weft_error err = {0};
    if (!CHECK_OK(weft_scaling_fit(data, asked, &scaling, &err), &err)) {
        return;
    }
    CHECK_INT(scaling.kind, got);
    if (CHECK_UINT(scaling.n, n)) {
        CHECK_FLOATS_NEAR(scaling.shift, shift, n, 0, 0);
        CHECK_FLOATS_NEAR(scaling.scale, scale, n, 0, 1e-7);
    }
    weft_scaling_release(&scaling);
    CHECK(scaling.n == 0 && scaling.shift == NULL && scaling.scale == NULL);
    weft_scaling_release(&scaling);
}

/* Columns: 1 3 5 7, constant, large mean with small spread. */
static const float fractions[4][3] = {
    {1, 0.5f, 1000001}, {3, 0.5f, 1000002}, {5, 0.5f, 1000001}, {7, 0.5f, 1000002}};
static const float wholes[3][2] = {{2, -1}, {4, 9}, {6, 4}};
static const uint8_t pixels[2][2] = {{0, 10}, {200, 30}};

static void standard(void)
{
    weft_dataset *data = dataset_of(WEFT_F32, fractions, 4, 3);
    const float shift[3] = {4, 0.5f, 1000001.5f};
    const float scale[3] = {(float)(1 / sqrt(5)), 1, 2};
    check_fit(data, WEFT_SCALE_STANDARD, WEFT_SCALE_STANDARD, 3, shift, scale);
    check_fit(data, WEFT_SCALE_AUTO, WEFT_SCALE_STANDARD, 3, shift, scale);
    weft_dataset_free(data);
    data = dataset_of(WEFT_U8, pixels, 2, 2);
    const float pixel_shift[2] = {100, 20}, pixel_scale[2] = {0.01f, 0.1f};
    check_fit(data, WEFT_SCALE_STANDARD, WEFT_SCALE_STANDARD, 2, pixel_shift, pixel_scale);
    weft_dataset_free(data);
}

static void unit(void)
{
    weft_dataset *data = dataset_of(WEFT_F32, wholes, 3, 2);
    const float shift[2] = {2, -1}, scale[2] = {0.25f, 0.1f};
    check_fit(data, WEFT_SCALE_UNIT, WEFT_SCALE_UNIT, 2, shift, scale);
    check_fit(data, WEFT_SCALE_AUTO, WEFT_SCALE_UNIT, 2, shift, scale);
    weft_dataset_free(data);
    data = dataset_of(WEFT_F32, fractions, 4, 3);
    const float low[3] = {1, 0.5f, 1000001}, inverse[3] = {(float)(1.0 / 6), 1, 1};
    check_fit(data, WEFT_SCALE_UNIT, WEFT_SCALE_UNIT, 3, low, inverse);
    weft_dataset_free(data);
    data = dataset_of(WEFT_U8, pixels, 2, 2);
    const float zero = 0, pixel = (float)(1.0 / 255);
    check_fit(data, WEFT_SCALE_UNIT, WEFT_SCALE_UNIT, 1, &zero, &pixel);
    check_fit(data, WEFT_SCALE_AUTO, WEFT_SCALE_UNIT, 1, &zero, &pixel);
    weft_dataset_free(data);
}

/* One factor for all: the mean square of 0 10 200 30 is 10250, of 2 -1 4 9 6 4 it is 77/3. */
static void rms(void)
{
    const float zero = 0;
    weft_dataset *data = dataset_of(WEFT_U8, pixels, 2, 2);
    check_fit(data, WEFT_SCALE_RMS, WEFT_SCALE_RMS, 1, &zero, &(float){(float)(1 / sqrt(10250))});
    weft_dataset_free(data);
    data = dataset_of(WEFT_F32, wholes, 3, 2);
    check_fit(data, WEFT_SCALE_RMS, WEFT_SCALE_RMS, 1, &zero,
              &(float){(float)(1 / sqrt(77 / 3.0))});
    weft_dataset_free(data);
    static const uint8_t black[2][2] = {{0}};
    data = dataset_of(WEFT_U8, black, 2, 2);
    check_fit(data, WEFT_SCALE_RMS, WEFT_SCALE_RMS, 1, &zero, &(float){1});
    weft_dataset_free(data);
}

static void none(void)
{
    weft_dataset *data = dataset_of(WEFT_F32, fractions, 4, 3);
    check_fit(data, WEFT_SCALE_NONE, WEFT_SCALE_NONE, 0, NULL, NULL);
    weft_scaling scaling = {0};
    weft_error err = {0};
    CHECK_STATUS(weft_scaling_fit(data, (weft_scale_kind)9, &scaling, &err), WEFT_ERR_ARG, &err);
    weft_dataset_free(data);
}

/* Spreads at the ends of what floats hold: scales stay finite. */
static void extremes(void)
{
    static const float x[2][2] = {{-3e38f, 0}, {3e38f, 1e-45f}};
    weft_dataset *data = dataset_of(WEFT_F32, x, 2, 2);
    for (int kind = WEFT_SCALE_UNIT; kind < WEFT_N_SCALE_KINDS; kind++) {
        weft_scaling scaling = {0};
        weft_error err = {0};
        CHECK_OK(weft_scaling_fit(data, (weft_scale_kind)kind, &scaling, &err), &err);
        for (size_t j = 0; j < scaling.n; j++) {
            CHECK(isfinite(scaling.shift[j]) && isfinite(scaling.scale[j]) && scaling.scale[j] > 0);
        }
        weft_scaling_release(&scaling);
    }
    weft_dataset_free(data);
}

static void names(void)
{
    static const char *const wanted[] = {"auto", "none", "unit", "standard", "rms"};
    for (int kind = 0; kind < WEFT_N_SCALE_KINDS; kind++) {
        weft_scale_kind got = WEFT_SCALE_AUTO;
        CHECK_STR(weft_scale_kind_name((weft_scale_kind)kind), wanted[kind]);
        CHECK(weft_scale_kind_from_name(wanted[kind], &got) == WEFT_OK);
        CHECK_INT(got, kind);
    }
    weft_scale_kind got = WEFT_SCALE_UNIT;
    CHECK(weft_scale_kind_from_name("Unit", &got) == WEFT_ERR_ARG);
    CHECK(weft_scale_kind_from_name("", &got) == WEFT_ERR_ARG);
    CHECK_INT(got, WEFT_SCALE_UNIT);
}

static void no_memory(void)
{
    weft_dataset *data = dataset_of(WEFT_F32, fractions, 4, 3);
    for (size_t i = 1;; i++) {
        weft_scaling scaling = {0};
        weft_error err = {0};
        weft_mem_fail_at(i);
        weft_status status = weft_scaling_fit(data, WEFT_SCALE_STANDARD, &scaling, &err);
        weft_mem_fail_at(0);
        if (status == WEFT_OK) {
            CHECK(i > 4);
            weft_scaling_release(&scaling);
            break;
        }
        CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
        CHECK(scaling.shift == NULL && scaling.scale == NULL);
    }
    weft_dataset_free(data);
}

CU_TestInfo scaling_tests[] = {
    {"standard", standard},   {"unit", unit},         {"rms", rms},
    {"none", none},           {"extremes", extremes}, {"names", names},
    {"no memory", no_memory}, CU_TEST_INFO_NULL,
};
