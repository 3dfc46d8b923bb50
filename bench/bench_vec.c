/* Every kernel but the products, of every set that this CPU runs, on one thread: elements and bytes
 * per second, the latter as a share of what memory of that size gives to a plain loop with as many
 * streams. A run is one pass over fresh data; its result must have the bits of the generic set. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "kernels/kernels.h"
#include "peaks.h"

#include <weft/weft.h>

#define MAX_CASES 1024

/* The operands of all kernels: matrices [rows,cols] without padding. */
struct operands {
    size_t rows, cols;
    float *x, *y, *v, *v2, *start; /* x: read only; the others are written, y from `start` */
    uint8_t *bytes;
    uint16_t *halves;
    float *margins; /* x with zeros in columns */
    uint32_t *list;
    size_t n_used;
    double sum;
};

typedef void kernel_call(const struct weft_kernel_set *set, struct operands *o);

/* A kernel: how many bytes it reads and writes for each element, and like which loop. */
struct kernel {
    const char *name;
    kernel_call *call;
    double bytes;
    enum bench_traffic like;
    bool streams; /* training runs it over memory beyond the caches */
};

#define ACTIVATE(name, f)                                                                          \
    static void activate_##name(const struct weft_kernel_set *set, struct operands *o)             \
    {                                                                                              \
        set->activate(f, o->rows, o->cols, o->y, o->cols, o->v, o->cols);                          \
    }                                                                                              \
    static void gradient_##name(const struct weft_kernel_set *set, struct operands *o)             \
    {                                                                                              \
        set->activate_gradient(f, o->rows, o->cols, o->y, o->cols, o->x, o->cols);                 \
    }
ACTIVATE(relu, WEFT_RELU)
ACTIVATE(tanh, WEFT_TANH)
ACTIVATE(sigmoid, WEFT_SIGMOID)
ACTIVATE(gelu, WEFT_GELU)
ACTIVATE(silu, WEFT_SILU)
ACTIVATE(elu, WEFT_ELU)

static void softmax(const struct weft_kernel_set *set, struct operands *o)
{
    for (size_t i = 0; i < o->rows; i++) {
        float max;
        o->sum += set->softmax(o->cols, o->x + i * o->cols, o->y + i * o->cols, &max);
    }
}

/* Rows of ten, as many classes as there are digits. */
static void softmax10(const struct weft_kernel_set *set, struct operands *o)
{
    for (size_t i = 0; i + 10 <= o->rows * o->cols; i += 10) {
        float max;
        o->sum += set->softmax(10, o->x + i, o->y + i, &max);
    }
}

/* Half of x is zeros in whole columns, as the margins of digits are. */
static void used_columns(const struct weft_kernel_set *set, struct operands *o)
{
    for (size_t i = 0; i + set->mr <= o->rows; i += set->mr) {
        o->n_used +=
            set->used_columns(set->mr, o->cols, o->margins + i * o->cols, o->cols, o->list);
    }
}

static void used_rows(const struct weft_kernel_set *set, struct operands *o)
{
    for (size_t j = 0; j + set->mr <= o->cols; j += set->mr) {
        o->n_used += set->used_rows(o->rows, set->mr, o->margins + j, o->cols, o->list);
    }
}

static void scale_u8(const struct weft_kernel_set *set, struct operands *o)
{
    const float shift = 0, scale = 1.0f / 255;
    set->scale_u8(o->rows * o->cols, o->bytes, &shift, &scale, false, o->y);
}

static void scale_f32(const struct weft_kernel_set *set, struct operands *o)
{
    const float shift = 0.5f, scale = 1.5f;
    set->scale_f32(o->rows * o->cols, o->x, &shift, &scale, false, o->y);
}

static void update(const struct weft_kernel_set *set, struct operands *o, enum weft_rule rule)
{
    const struct weft_rule_step step = {.rule = rule,
                                        .lr = 0.1f,
                                        .beta1 = 0.9f,
                                        .gain1 = 0.1f,
                                        .beta2 = 0.999f,
                                        .gain2 = 0.001f,
                                        .correction = 1,
                                        .epsilon = 1e-8f,
                                        .scale = 1,
                                        .limit = INFINITY,
                                        .keep = 1};
    set->update(&step, o->rows * o->cols, o->y, o->x, o->v, o->v2);
}

static void sgd(const struct weft_kernel_set *set, struct operands *o)
{
    update(set, o, WEFT_RULE_SGD);
}

static void sgd_momentum(const struct weft_kernel_set *set, struct operands *o)
{
    update(set, o, WEFT_RULE_MOMENTUM);
}

static void rmsprop(const struct weft_kernel_set *set, struct operands *o)
{
    update(set, o, WEFT_RULE_RMSPROP);
}

static void adam(const struct weft_kernel_set *set, struct operands *o)
{
    update(set, o, WEFT_RULE_ADAM);
}

static void transpose(const struct weft_kernel_set *set, struct operands *o)
{
    set->transpose(o->rows, o->cols, o->x, o->cols, o->y, o->rows);
}

static void bf16_rows(const struct weft_kernel_set *set, struct operands *o)
{
    set->bf16_rows(o->rows, o->cols, o->x, o->cols, o->halves, o->cols);
}

static void bf16_transpose(const struct weft_kernel_set *set, struct operands *o)
{
    set->bf16_transpose(o->rows, o->cols, o->x, o->cols, o->halves, o->rows);
}

static void bf16_pairs(const struct weft_kernel_set *set, struct operands *o)
{
    set->bf16_pairs(o->rows, o->cols, o->x, o->cols, o->halves, 2 * o->cols);
}

static void bf16_transpose_pairs(const struct weft_kernel_set *set, struct operands *o)
{
    set->bf16_transpose_pairs(o->rows, o->cols, o->x, o->cols, o->halves, 2 * o->rows);
}

static const struct kernel kernels[] = {
    {"relu", activate_relu, 8, TRAFFIC_CHANGE, false},
    {"tanh", activate_tanh, 8, TRAFFIC_CHANGE, false},
    {"sigmoid", activate_sigmoid, 8, TRAFFIC_CHANGE, false},
    {"gelu", activate_gelu, 12, TRAFFIC_UPDATE, false},
    {"silu", activate_silu, 12, TRAFFIC_UPDATE, false},
    {"elu", activate_elu, 8, TRAFFIC_CHANGE, false},
    {"relu gradient", gradient_relu, 12, TRAFFIC_UPDATE, false},
    {"tanh gradient", gradient_tanh, 12, TRAFFIC_UPDATE, false},
    {"sigmoid gradient", gradient_sigmoid, 12, TRAFFIC_UPDATE, false},
    {"gelu gradient", gradient_gelu, 12, TRAFFIC_UPDATE, false},
    {"silu gradient", gradient_silu, 12, TRAFFIC_UPDATE, false},
    {"elu gradient", gradient_elu, 12, TRAFFIC_UPDATE, false},
    {"softmax", softmax, 8, TRAFFIC_COPY, false},
    {"softmax of 10", softmax10, 8, TRAFFIC_COPY, false},
    {"used columns", used_columns, 4, TRAFFIC_READ, false},
    {"used rows", used_rows, 4, TRAFFIC_READ, false},
    {"scale u8", scale_u8, 5, TRAFFIC_COPY, true},
    {"scale f32", scale_f32, 8, TRAFFIC_COPY, true},
    {"sgd", sgd, 12, TRAFFIC_UPDATE, true},
    {"sgd momentum", sgd_momentum, 20, TRAFFIC_UPDATE, true},
    {"rmsprop", rmsprop, 20, TRAFFIC_UPDATE, true},
    {"adam", adam, 28, TRAFFIC_UPDATE, true},
    {"transpose", transpose, 8, TRAFFIC_COPY, true},
    {"bf16 rows", bf16_rows, 6, TRAFFIC_COPY, true},
    {"bf16 transpose", bf16_transpose, 6, TRAFFIC_COPY, true},
    {"bf16 pairs", bf16_pairs, 6, TRAFFIC_COPY, true},
    {"bf16 tr. pairs", bf16_transpose_pairs, 6, TRAFFIC_COPY, true},
};
#define N_KERNELS (sizeof kernels / sizeof *kernels)

/* A batch's activations, which stay in the second-level cache, and a large layer's weights. */
static const struct {
    const char *name;
    size_t rows, cols;
} sizes[] = {{"128x256", 128, 256}, {"4096x4096", 4096, 4096}};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

struct job {
    const struct kernel *kernel;
    const struct weft_kernel_set *set;
    struct operands *operands; /* shared by all jobs of the size */
    uint64_t *wanted;          /* checksum of the generic set, shared by the jobs of a kernel */
    char name[64];
    double bandwidth; /* GB/s of the loop it is like */
};

static void allocate(struct operands *o, size_t rows, size_t cols)
{
    size_t n = rows * cols;
    *o = (struct operands){.rows = rows, .cols = cols};
    o->x = bench_floats(n), o->y = bench_floats(n), o->v = bench_floats(n);
    o->v2 = bench_floats(n), o->start = bench_floats(n);
    o->bytes = bench_alloc(n, 1);
    o->halves = (uint16_t *)(void *)bench_floats(n / 2 + 1);
    uint32_t state = 1;
    for (size_t k = 0; k < n; k++) {
        state = state * 1664525u + 1013904223u;
        o->x[k] = (float)(int32_t)state * 0x1p-30f;
        o->start[k] = (float)(int32_t)(state * 2654435761u) * 0x1p-30f;
        o->bytes[k] = (uint8_t)(state >> 24);
    }
    o->margins = bench_floats(n);
    o->list = bench_alloc((rows > cols ? rows : cols) + 16, sizeof *o->list);
    for (size_t k = 0; k < n; k++) {
        o->margins[k] = k % cols % 16 < 8 ? 0 : o->x[k];
    }
}

static void release(struct operands *o)
{
    free(o->x);
    free(o->y);
    free(o->v);
    free(o->v2);
    free(o->start);
    free(o->bytes);
    free(o->halves);
    free(o->margins);
    free(o->list);
}

static void run(void *state)
{
    const struct job *job = state;
    job->kernel->call(job->set, job->operands);
}

/* A run goes before, so that each set finds caches as its own kernel leaves them, not as the case
 * before does: else the first set of each kernel fetches what the others find. */
static void prepare(void *state)
{
    const struct job *job = state;
    struct operands *o = job->operands;
    size_t n = o->rows * o->cols;
    memset(o->v, 0, n * sizeof *o->v);
    memset(o->v2, 0, n * sizeof *o->v2);
    memset(o->halves, 0, n * sizeof *o->halves);
    run(state);
    memset(o->v, 0, n * sizeof *o->v);
    memcpy(o->y, o->start, n * sizeof *o->y);
    o->sum = 0;
}

/* FNV-1a over whole words. */
static uint64_t mix(uint64_t hash, const void *data, size_t bytes)
{
    const unsigned char *from = data;
    for (size_t k = 0; k + 8 <= bytes; k += 8) {
        uint64_t word;
        memcpy(&word, from + k, sizeof word);
        hash = (hash ^ word) * 1099511628211u;
    }
    return hash;
}

static uint64_t checksum(const struct operands *o)
{
    size_t n = o->rows * o->cols;
    uint64_t hash = mix(14695981039346656037u, o->y, n * sizeof *o->y);
    hash = mix(hash, o->v, n * sizeof *o->v);
    hash = mix(hash, o->v2, n * sizeof *o->v2);
    hash = mix(hash, o->halves, n * sizeof *o->halves);
    return mix(hash, &o->sum, sizeof o->sum);
}

static bool check(void *state)
{
    const struct job *job = state;
    if (*job->wanted == 0) {
        prepare(state);
        job->kernel->call(&weft_kernels_generic, job->operands);
        *job->wanted = checksum(job->operands);
        prepare(state);
        run(state);
    }
    return checksum(job->operands) == *job->wanted;
}

static bool wanted(const struct bench_options *options, const struct weft_kernel_set *set,
                   const char *name)
{
    return weft_kernel_set_usable(set) &&
           (options->isa == NULL || strcmp(options->isa, set->name) == 0) &&
           (options->filter == NULL || strstr(name, options->filter) != NULL);
}

/* Whether a better set has the very same function: sets that differ by bgemm alone. */
static bool is_repeated(const struct bench_options *options, const struct weft_kernel_set *set)
{
    return options->isa == NULL && set->for_bf16;
}

static size_t all_jobs(const struct bench_options *options, struct operands *operands,
                       uint64_t (*sums)[N_SIZES], struct job *jobs)
{
    size_t n = 0;
    for (size_t k = 0; k < N_KERNELS * N_SIZES * weft_kernel_set_count() && n < MAX_CASES; k++) {
        const struct weft_kernel_set *set = weft_kernel_set_at(k % weft_kernel_set_count());
        size_t s = k / weft_kernel_set_count() % N_SIZES;
        const struct kernel *kernel = &kernels[k / weft_kernel_set_count() / N_SIZES];
        struct job job = {.kernel = kernel,
                          .set = set,
                          .operands = &operands[s],
                          .wanted = &sums[kernel - kernels][s]};
        snprintf(job.name, sizeof job.name, "%s %s %s", kernel->name, sizes[s].name, set->name);
        if ((s == 0 || kernel->streams) && !is_repeated(options, set) &&
            wanted(options, set, job.name)) {
            jobs[n++] = job;
        }
    }
    return n;
}

static double elements(const struct job *job)
{
    return (double)job->operands->rows * (double)job->operands->cols;
}

static double gigabytes(const struct job *job, const struct bench_stats *stats)
{
    return 1e-9 * job->kernel->bytes * elements(job) / stats->median;
}

/* Bandwidths are measured once for each loop and number of bytes. */
static void set_bandwidths(struct job *jobs, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        const struct kernel *kernel = jobs[k].kernel;
        size_t bytes = (size_t)(kernel->bytes * elements(&jobs[k]));
        for (size_t j = 0; j < k && jobs[k].bandwidth == 0; j++) {
            if (jobs[j].operands == jobs[k].operands && jobs[j].kernel->like == kernel->like) {
                jobs[k].bandwidth = jobs[j].bandwidth;
            }
        }
        if (jobs[k].bandwidth == 0) {
            jobs[k].bandwidth = bench_bandwidth(kernel->like, 1, bytes, 0.1);
        }
    }
}

static void print(const struct job *jobs, const struct bench_stats *stats, size_t n)
{
    printf("%-40s %8s %7s %12s %8s %14s\n", "kernel, size, set", "rounds", "+-", "elements/ns",
           "GB/s", "of bandwidth");
    for (size_t k = 0; k < n; k++) {
        const struct bench_stats *s = &stats[k];
        printf("%-40s %8zu %6.1f%% %12.2f %8.1f %9.0f%% %s\n", jobs[k].name, s->rounds,
               50 * (s->quartile3 - s->quartile1) / s->median,
               1e-9 * elements(&jobs[k]) / s->median, gigabytes(&jobs[k], s),
               100 * gigabytes(&jobs[k], s) / jobs[k].bandwidth,
               bench_traffic_names[jobs[k].kernel->like]);
    }
}

static json_t *json_of(const struct job *jobs, const struct bench_stats *stats, size_t n)
{
    json_t *results = json_array();
    for (size_t k = 0; k < n; k++) {
        const struct bench_stats *s = &stats[k];
        json_array_append_new(results, json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "name",
                                                 jobs[k].name, "rounds", (json_int_t)s->rounds,
                                                 "median_s", s->median, "quartile1_s", s->quartile1,
                                                 "quartile3_s", s->quartile3, "elements_per_ns",
                                                 1e-9 * elements(&jobs[k]) / s->median, "gb_per_s",
                                                 gigabytes(&jobs[k], s), "share_of_bandwidth",
                                                 gigabytes(&jobs[k], s) / jobs[k].bandwidth));
    }
    return results;
}

int main(int argc, char **argv)
{
    struct bench_options options =
        bench_options_parse(argc, argv,
                            "Elements and bytes per second of each kernel but the products, for "
                            "each kernel set, on one\n"
                            "thread. Names to pick from are such as \"tanh 128x256 avx512\".");
    struct operands operands[N_SIZES];
    uint64_t sums[N_KERNELS][N_SIZES] = {{0}};
    struct job *jobs = bench_alloc(MAX_CASES, sizeof *jobs);
    struct bench_case *cases = bench_alloc(MAX_CASES, sizeof *cases);
    struct bench_stats *stats = bench_alloc(MAX_CASES, sizeof *stats);
    for (size_t s = 0; s < N_SIZES; s++) {
        allocate(&operands[s], sizes[s].rows, sizes[s].cols);
    }
    size_t n = all_jobs(&options, operands, sums, jobs);
    if (n == 0) {
        bench_die("no such kernel or set");
    }
    set_bandwidths(jobs, n);
    for (size_t k = 0; k < n; k++) {
        cases[k] = (struct bench_case){.name = jobs[k].name,
                                       .state = &jobs[k],
                                       .prepare = prepare,
                                       .run = run,
                                       .check = check};
    }
    bench_print_machine("all");
    bench_run(&options, cases, n, stats);
    print(jobs, stats, n);
    bench_write_results(&options, "vec", "all", json_of(jobs, stats, n), NULL);
    for (size_t k = 0; k < n; k++) {
        free(stats[k].seconds);
    }
    for (size_t s = 0; s < N_SIZES; s++) {
        release(&operands[s]);
    }
    free(jobs);
    free(cases);
    free(stats);
    return 0;
}
