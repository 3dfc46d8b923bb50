/* Random masks and noise: Philox4x32-10 (Salmon et al. 2011, as in base/rng.h) for sixteen counters
 * side by side, and what is made of its numbers. Part of elementwise_template.h, and the same bits
 * in every set for the same reasons. */
enum { DRAW_LANES = 16 };

/* Words k = 0..3 of the counters first .. first + 15. */
static inline void philox_lanes(const struct weft_draw *draw, uint32_t first,
                                uint32_t out[4][DRAW_LANES])
{
    const uint32_t from1 = draw->counter[0], from2 = draw->counter[1], from3 = draw->counter[2];
    const uint32_t key0 = draw->key[0], key1 = draw->key[1];
#pragma omp simd
    for (uint32_t l = 0; l < DRAW_LANES; l++) {
        uint32_t c0 = first + l, c1 = from1, c2 = from2, c3 = from3, k0 = key0, k1 = key1;
#pragma GCC unroll 10
        for (int round = 0; round < 10; round++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0;
            uint64_t p1 = (uint64_t)0xCD9E8D57u * c2;
            c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
            c1 = (uint32_t)p1;
            c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
            c3 = (uint32_t)p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        out[0][l] = c0;
        out[1][l] = c1;
        out[2][l] = c2;
        out[3][l] = c3;
    }
}

/* Element 128 g + 32 k + 16 h + l has half h (0: the lower) of word k of counter 16 g + l. */
static void WEFT_SET(draw_keep)(const struct weft_draw *draw, uint32_t threshold, size_t n,
                                uint8_t *keep)
{
    enum { GROUP = 8 * DRAW_LANES };
    for (size_t g = 0; g * GROUP < n; g++) {
        uint32_t words[4][DRAW_LANES];
        uint8_t kept[GROUP];
        philox_lanes(draw, draw->block + (uint32_t)g * DRAW_LANES, words);
        for (size_t k = 0; k < 4; k++) {
#pragma omp simd
            for (size_t l = 0; l < DRAW_LANES; l++) {
                kept[2 * k * DRAW_LANES + l] = (words[k][l] & 0xFFFFu) >= threshold;
                kept[(2 * k + 1) * DRAW_LANES + l] = words[k][l] >> 16 >= threshold;
            }
        }
        size_t left = n - g * GROUP;
        memcpy(keep + g * GROUP, kept, left < GROUP ? left : GROUP);
    }
}

static void WEFT_SET(mask)(size_t rows, size_t cols, const uint8_t *keep, size_t keep_rs,
                           float scale, const float *x, size_t x_rs, float *out, size_t out_rs)
{
    for (size_t i = 0; i < rows; i++) {
        const uint8_t *ki = keep + i * keep_rs;
        const float *xi = x + i * x_rs;
        float *oi = out + i * out_rs;
#pragma omp simd
        for (size_t j = 0; j < cols; j++) {
            oi[j] = ki[j] != 0 ? xi[j] * scale : 0.0f;
        }
    }
}

/* log x for 2^-26 < x <= 1. x = m 2^e with m in [sqrt(1/2), sqrt(2)); the polynomial and the two
 * parts of ln 2 are those of logf() in Cephes (Moshier 1992), within 1 unit in the last place. */
static inline float log_f32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t shifted = bits - 0x3F3504F3u; /* of sqrt(1/2) */
    float e = (float)((int32_t)shifted >> 23);
    uint32_t reduced = (shifted & 0x7FFFFFu) + 0x3F3504F3u;
    float m;
    memcpy(&m, &reduced, sizeof m);
    float f = m - 1.0f, s = f * f;
    float p = 7.0376836292e-2f;
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    float y = p * f * s + e * -2.12194440e-4f - 0.5f * s;
    return f + y + e * 0.693359375f;
}

/* cos and sin of `turn` full turns, |turn| <= 1/2: the nearest quarter of a turn, and polynomials
 * within an eighth of one, those of sinf() in Cephes. */
static inline void circle_f32(float turn, float *cosine, float *sine)
{
    const float magic = 0x1.8p23f; /* rounds, see exp_f32() */
    float shifted = 4.0f * turn + magic;
    uint32_t quarter;
    memcpy(&quarter, &shifted, sizeof quarter);
    float x = (turn - 0.25f * (shifted - magic)) * 6.28318530717958647693f, s = x * x;
    float sin_x = ((-1.9515295891e-4f * s + 8.3321608736e-3f) * s - 1.6666654611e-1f) * s * x + x;
    float cos_x =
        ((2.443315711809948e-5f * s - 1.388731625493765e-3f) * s + 4.166664568298827e-2f) * s * s -
        0.5f * s + 1.0f;
    bool odd = (quarter & 1) != 0;
    float c = odd ? sin_x : cos_x, d = odd ? cos_x : sin_x;
    *cosine = ((quarter + 1) & 2) != 0 ? -c : c;
    *sine = (quarter & 2) != 0 ? -d : d;
}

/* Two independent normal numbers from two words of 32 bits, of which 24 count (Box & Muller 1958):
 * sqrt(-2 log u) (cos 2 pi v, sin 2 pi v), u in (0, 1]. */
static inline void normal_pair_f32(uint32_t a, uint32_t b, float *first, float *second)
{
    float u = (float)(int32_t)(a >> 8) * 0x1p-24f + 0x1p-25f;
    float v = (float)((int32_t)b >> 8) * 0x1p-24f;
    float size = sqrtf(-2.0f * log_f32(u));
    float cosine, sine;
    circle_f32(v, &cosine, &sine);
    *first = size * cosine;
    *second = size * sine;
}

/* Element 64 g + 32 k + 16 h + l has the first (h = 0) or second number of words 2 k and 2 k + 1 of
 * counter 16 g + l. */
static void WEFT_SET(add_noise)(const struct weft_draw *draw, float std, size_t n, float *x)
{
    enum { GROUP = 4 * DRAW_LANES };
    for (size_t g = 0; g * GROUP < n; g++) {
        uint32_t words[4][DRAW_LANES];
        float normals[GROUP];
        philox_lanes(draw, draw->block + (uint32_t)g * DRAW_LANES, words);
        for (size_t k = 0; k < 2; k++) {
#pragma omp simd
            for (size_t l = 0; l < DRAW_LANES; l++) {
                float first, second;
                normal_pair_f32(words[2 * k][l], words[2 * k + 1][l], &first, &second);
                normals[2 * k * DRAW_LANES + l] = first;
                normals[(2 * k + 1) * DRAW_LANES + l] = second;
            }
        }
        size_t left = n - g * GROUP, end = left < GROUP ? left : GROUP;
#pragma omp simd
        for (size_t j = 0; j < end; j++) {
            x[g * GROUP + j] += std * normals[j];
        }
    }
}
