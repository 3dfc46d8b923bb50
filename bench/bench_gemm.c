/* The three products of a layer, weft against the best of other libraries.
 *
 * For each product, shape, batch and number of threads: every library with every choice of kernels,
 * layout and interface is tried; weft and the fastest choice of each other library then run in
 * turn, round after round, with the machine's peak measured between. Each library runs in a process
 * of its own (worker.h). Products alone: no bias, no activation; weights are packed beforehand by
 * those that can, everything else comes and goes row-major.
 *
 * weft is timed as its training uses it, many products in one parallel region; "a call" is the
 * same with a region for each, which is all that the others can do.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gemm_peers.h"
#include "harness.h"
#include "peaks.h"
#include "quiet.h"
#include "worker.h"

#include <weft/weft.h>

#define DEFAULT_ROUNDS 7
#define MAX_PEERS 16

/* A share of a time. Threads that sleep at a barrier wait some microseconds for a core when they
 * wake up; a time slice that another process took is some milliseconds. */
#define TOLERATED_WAIT 0.04
#define MAX_TRIES 12

static const size_t shapes[][2] = {{784, 128},   {128, 10},   {784, 512},   {512, 512},  {512, 10},
                                   {1024, 1024}, {784, 2500}, {2500, 2000}, {2048, 2048}};
static const size_t batches[] = {64, 128, 256, 1024};
#define N_SHAPES (sizeof shapes / sizeof *shapes)
#define N_BATCHES (sizeof batches / sizeof *batches)

/* A contender and what it took: weft in one region, weft with a region a call, the best choice of
 * each other library. */
enum { WEFT_TEAM, WEFT_CALL, FIRST_PEER, N_CONTENDERS = FIRST_PEER + N_LIBRARIES - 1 };

struct contender {
    struct peer *peer; /* NULL: this library cannot */
    char variant[32];
    char choice[64]; /* for the report: setup and variant */
    struct bench_stats stats;
};

struct row {
    char name[64]; /* such as "f32 forward 784x512 b128" */
    bool bf16;
    enum product product;
    size_t batch, n_in, n_out, n_threads;
    double gflop;
    struct contender contenders[N_CONTENDERS];
    double best; /* seconds of the fastest peer; 0: none */
    double peak; /* GFLOP/s of float32 arithmetic, the median between the rounds */
    /* Times that were taken again, and that stayed disturbed. */
    size_t n_again, n_disturbed;
};

struct table {
    struct row *rows;
    size_t n_rows;
    /* GFLOP/s before the first row; for bfloat16 0 where the CPU has no instructions. */
    double peak, bf16_peak;
};

static bool wanted(const struct bench_options *options, const char *name)
{
    return options->filter == NULL || strstr(name, options->filter) != NULL;
}

/* All products that the options ask for. */
static struct table table_of(const struct bench_options *options, size_t n_threads)
{
    struct table table = {
        .rows = bench_alloc(2 * N_PRODUCTS * N_SHAPES * N_BATCHES, sizeof(struct row))};
    for (size_t k = 0; k < 2 * N_PRODUCTS * N_SHAPES * N_BATCHES; k++) {
        size_t b = k % N_BATCHES, p = k / N_BATCHES % N_PRODUCTS;
        size_t s = k / N_BATCHES / N_PRODUCTS % N_SHAPES;
        struct row row = {.bf16 = k / N_BATCHES / N_PRODUCTS / N_SHAPES == 1,
                          .product = (enum product)p,
                          .batch = batches[b],
                          .n_in = shapes[s][0],
                          .n_out = shapes[s][1],
                          .n_threads = n_threads};
        row.gflop = 2e-9 * (double)row.batch * (double)row.n_in * (double)row.n_out;
        snprintf(row.name, sizeof row.name, "%s %s %zux%zu b%zu", row.bf16 ? "bf16" : "f32",
                 product_names[p], row.n_in, row.n_out, row.batch);
        if (wanted(options, row.name)) {
            table.rows[table.n_rows++] = row;
        }
    }
    return table;
}

static void set_contender(struct contender *c, struct peer *peer, const char *variant)
{
    c->peer = peer;
    snprintf(c->variant, sizeof c->variant, "%s", variant);
    snprintf(c->choice, sizeof c->choice, "%s/%s", peer->setup->name, variant);
}

/* Seconds of one product. A time while which the worker's threads waited for a core is one of the
 * machine, not of the library: it is taken again after a pause, half a second in all at most. */
static double time_of(struct row *row, struct peer *peer, const char *variant, double budget)
{
    double shortest = DBL_MAX;
    for (unsigned tries = 0; tries < MAX_TRIES; tries++) {
        double waited, seconds = peer_time(peer, variant, budget, &waited);
        if (waited < TOLERATED_WAIT) {
            return seconds;
        }
        shortest = fmin(shortest, seconds);
        row->n_again++;
        const struct timespec pause = {.tv_nsec = 8000000 * (long)tries};
        nanosleep(&pause, NULL);
    }
    row->n_disturbed++;
    return shortest;
}

/* Tries everything that can do the row's product; the fastest of each library becomes its
 * contender. */
static void choose_contenders(struct row *row, struct peer *peers, size_t n_peers, double budget)
{
    double fastest[N_LIBRARIES] = {0};
    for (size_t k = 0; k < n_peers; k++) {
        enum library library = peers[k].setup->library;
        for (size_t v = 0; v < peers[k].n_variants; v++) {
            const char *variant = peers[k].variants[v];
            if (library == LIBRARY_WEFT) {
                set_contender(
                    &row->contenders[strcmp(variant, "call") == 0 ? WEFT_CALL : WEFT_TEAM],
                    &peers[k], variant);
                continue;
            }
            double seconds = time_of(row, &peers[k], variant, budget);
            if (fastest[library] > 0 && seconds > 1.2 * fastest[library]) {
                continue; /* a second try would not make it the fastest */
            }
            seconds = fmin(seconds, time_of(row, &peers[k], variant, budget));
            if (fastest[library] == 0 || seconds < fastest[library]) {
                fastest[library] = seconds;
                set_contender(&row->contenders[FIRST_PEER + library - 1], &peers[k], variant);
            }
        }
    }
}

static double median(double *values, size_t n)
{
    struct bench_stats stats = {.rounds = n, .seconds = values};
    bench_summarise(&stats);
    return stats.median;
}

static void measure_row(struct row *row, struct peer *peers, size_t n_peers, size_t rounds,
                        double budget)
{
    char request[96];
    double *peaks = bench_alloc(rounds, sizeof *peaks);
    snprintf(request, sizeof request, "%s %s %zu %zu %zu", row->bf16 ? "bf16" : "f32",
             product_names[row->product], row->batch, row->n_in, row->n_out);
    for (size_t k = 0; k < n_peers; k++) {
        peer_prepare(&peers[k], request);
    }
    choose_contenders(row, peers, n_peers, budget);
    for (size_t c = 0; c < N_CONTENDERS; c++) {
        row->contenders[c].stats.seconds = bench_alloc(rounds, sizeof(double));
    }
    for (size_t round = 0; round < rounds; round++) {
        for (size_t c = 0; c < N_CONTENDERS; c++) {
            struct contender *contender = &row->contenders[c];
            if (contender->peer != NULL) {
                contender->stats.seconds[contender->stats.rounds++] =
                    time_of(row, contender->peer, contender->variant, budget);
            }
        }
        peaks[round] = bench_peak_gflops(PEAK_F32, row->n_threads, budget / 2);
        bench_rest();
    }
    row->peak = median(peaks, rounds);
    free(peaks);
    for (size_t c = 0; c < N_CONTENDERS; c++) {
        struct contender *contender = &row->contenders[c];
        if (contender->stats.rounds == 0) {
            continue;
        }
        bench_summarise(&contender->stats);
        double seconds = contender->stats.median;
        if (c >= FIRST_PEER && (row->best == 0 || seconds < row->best)) {
            row->best = seconds;
        }
    }
}

static double rate(const struct row *row, size_t contender)
{
    const struct bench_stats *stats = &row->contenders[contender].stats;
    return stats->rounds == 0 ? 0 : row->gflop / stats->median;
}

/* How many times as fast as the best peer; 0 where there is none or weft cannot. */
static double ratio(const struct row *row, size_t contender)
{
    const struct bench_stats *stats = &row->contenders[contender].stats;
    return stats->rounds == 0 || row->best == 0 ? 0 : row->best / stats->median;
}

static double share_of_peak(const struct table *table, const struct row *row, size_t contender)
{
    double peak = row->bf16 ? table->bf16_peak : row->peak;
    return peak == 0 ? 0 : rate(row, contender) / peak;
}

static size_t fastest_peer(const struct row *row)
{
    size_t fastest = FIRST_PEER;
    for (size_t c = FIRST_PEER; c < N_CONTENDERS; c++) {
        fastest = rate(row, c) > rate(row, fastest) ? c : fastest;
    }
    return fastest;
}

static void print_head(const struct table *table, size_t n_threads)
{
    printf("%zu threads: float32 peak %.1f GFLOP/s", n_threads, table->peak);
    if (table->bf16_peak > 0) {
        printf(", bfloat16 peak %.1f GFLOP/s", table->bf16_peak);
    }
    printf("\n%-30s %7s %8s %7s %7s", "GFLOP/s (medians)", "weft", "of peak", "+-", "a call");
    for (int k = LIBRARY_OPENBLAS; k < N_LIBRARIES; k++) {
        printf(" %8s", library_names[k]);
    }
    printf(" %7s  %s\n", "ratio", "fastest peer");
}

static void print_row(const struct table *table, const struct row *row)
{
    const struct bench_stats *s = &row->contenders[WEFT_TEAM].stats;
    double spread = s->rounds == 0 ? 0 : (s->quartile3 - s->quartile1) / 2 / s->median;
    printf("%-30s %7.1f %7.0f%% %6.1f%% %7.1f", row->name, rate(row, WEFT_TEAM),
           100 * share_of_peak(table, row, WEFT_TEAM), 100 * spread, rate(row, WEFT_CALL));
    for (size_t c = FIRST_PEER; c < N_CONTENDERS; c++) {
        printf(" %8.1f", rate(row, c));
    }
    printf(" %7.2f  %s", ratio(row, WEFT_TEAM), row->contenders[fastest_peer(row)].choice);
    if (row->n_disturbed > 0) {
        printf(" (%zu times disturbed)", row->n_disturbed);
    }
    putchar('\n');
    fflush(stdout);
}

static void measure(const struct bench_options *options, struct table *table, size_t n_threads)
{
    struct peer peers[MAX_PEERS];
    size_t n_peers = 0, rounds = options->rounds > 0 ? options->rounds : DEFAULT_ROUNDS;
    /* Half of the time goes to warm-ups and trials. */
    double share = options->budget / (double)(table->n_rows * rounds * N_CONTENDERS * 2);
    double budget = fmin(fmax(share, 1e-3), 2e-2);
    for (size_t k = 0; k < n_peer_setups && n_peers < MAX_PEERS; k++) {
        if (peer_start(&peers[n_peers], &peer_setups[k], n_threads, options->isa)) {
            n_peers++;
        }
    }
    if (n_peers == 0 || peers[0].setup->library != LIBRARY_WEFT) {
        bench_die("the worker of weft does not start");
    }
    table->peak = bench_peak_gflops(PEAK_F32, n_threads, 0.1);
    table->bf16_peak = fmax(bench_peak_gflops(PEAK_AMX, n_threads, 0.1),
                            bench_peak_gflops(PEAK_BF16, n_threads, 0.1));
    print_head(table, n_threads);
    for (size_t k = 0; k < table->n_rows; k++) {
        measure_row(&table->rows[k], peers, n_peers, rounds, budget);
        print_row(table, &table->rows[k]);
    }
    for (size_t k = 0; k < n_peers; k++) {
        peer_stop(&peers[k]);
    }
}

/* Geometric means over the rows that a test lets through. */
struct mean {
    size_t n;
    double ratio, call_ratio, share;
};

static struct mean mean_of(const struct table *table,
                           bool (*test)(const struct row *row, const void *arg), const void *arg)
{
    struct mean mean = {0};
    for (size_t k = 0; k < table->n_rows; k++) {
        const struct row *row = &table->rows[k];
        if (ratio(row, WEFT_TEAM) > 0 && ratio(row, WEFT_CALL) > 0 && test(row, arg)) {
            mean.n++;
            mean.ratio += log(ratio(row, WEFT_TEAM));
            mean.call_ratio += log(ratio(row, WEFT_CALL));
            mean.share += log(fmax(share_of_peak(table, row, WEFT_TEAM), 1e-9));
        }
    }
    if (mean.n > 0) {
        mean.ratio = exp(mean.ratio / (double)mean.n);
        mean.call_ratio = exp(mean.call_ratio / (double)mean.n);
        mean.share = exp(mean.share / (double)mean.n);
    }
    return mean;
}

static bool same_shape(const struct row *row, const void *arg)
{
    const struct row *other = arg;
    return row->bf16 == other->bf16 && row->product == other->product && row->n_in == other->n_in &&
           row->n_out == other->n_out;
}

/* Products of wide layers, of narrow ones (up to 16 outputs), and one product of wide ones. */
struct group {
    const char *name;
    bool bf16, narrow;
    bool products[N_PRODUCTS];
};

static const struct group groups[] = {
    {"f32 forward and dw", false, false, {[PRODUCT_FORWARD] = true, [PRODUCT_DW] = true}},
    {"f32 forward", false, false, {[PRODUCT_FORWARD] = true}},
    {"f32 dw", false, false, {[PRODUCT_DW] = true}},
    {"f32 dx", false, false, {[PRODUCT_DX] = true}},
    {"f32 to 16 outputs, all three", false, true, {true, true, true}},
    {"bf16, all three", true, false, {true, true, true}},
    {"bf16 to 16 outputs, all three", true, true, {true, true, true}},
};

static bool in_group(const struct row *row, const void *arg)
{
    const struct group *group = arg;
    return row->bf16 == group->bf16 && (row->n_out <= 16) == group->narrow &&
           group->products[row->product];
}

static json_t *report_mean(const char *name, size_t n_threads, const struct mean *mean)
{
    printf("%-40s %7zu %5zu %7.2f %7.2f %8.0f%%\n", name, n_threads, mean->n, mean->ratio,
           mean->call_ratio, 100 * mean->share);
    return json_pack("{s:s, s:I, s:I, s:f, s:f, s:f}", "name", name, "threads",
                     (json_int_t)n_threads, "rows", (json_int_t)mean->n, "ratio", mean->ratio,
                     "ratio_a_call", mean->call_ratio, "share_of_peak", mean->share);
}

/* Prints the means by shape and by group and returns them for the file. */
static json_t *report_means(const struct table *table)
{
    json_t *means = json_array();
    printf("\n%-40s %7s %5s %7s %7s %9s\n", "geometric means", "threads", "rows", "ratio", "a call",
           "of peak");
    for (size_t k = 0; k < table->n_rows; k++) {
        const struct row *row = &table->rows[k];
        if (k > 0 && same_shape(row, row - 1)) {
            continue;
        }
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(strrchr(row->name, ' ') - row->name), row->name);
        struct mean mean = mean_of(table, same_shape, row);
        if (mean.n > 0) {
            json_array_append_new(means, report_mean(name, row->n_threads, &mean));
        }
    }
    for (size_t k = 0; k < sizeof groups / sizeof *groups; k++) {
        struct mean mean = mean_of(table, in_group, &groups[k]);
        if (mean.n > 0) {
            json_array_append_new(means,
                                  report_mean(groups[k].name, table->rows[0].n_threads, &mean));
        }
    }
    putchar('\n');
    return means;
}

static json_t *json_of_contender(const struct row *row, size_t c)
{
    const struct contender *contender = &row->contenders[c];
    const char *library = library_names[c < FIRST_PEER ? LIBRARY_WEFT : c - FIRST_PEER + 1];
    json_t *object = bench_json_of_stats(&contender->stats);
    json_object_set_new(object, "library", json_string(library));
    json_object_set_new(object, "choice", json_string(contender->choice));
    json_object_set_new(object, "gflop_per_s", json_real(rate(row, c)));
    return object;
}

static json_t *json_of_row(const struct table *table, const struct row *row)
{
    json_t *contenders = json_array();
    for (size_t c = 0; c < N_CONTENDERS; c++) {
        if (row->contenders[c].stats.rounds > 0) {
            json_array_append_new(contenders, json_of_contender(row, c));
        }
    }
    return json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:o}", "name", row->name,
                     "threads", (json_int_t)row->n_threads, "gflop_per_s", rate(row, WEFT_TEAM),
                     "f32_peak", row->peak, "share_of_peak", share_of_peak(table, row, WEFT_TEAM),
                     "ratio", ratio(row, WEFT_TEAM), "ratio_a_call", ratio(row, WEFT_CALL),
                     "taken_again", (json_int_t)row->n_again, "disturbed",
                     (json_int_t)row->n_disturbed, "contenders", contenders);
}

static void release(struct table *table)
{
    for (size_t k = 0; k < table->n_rows; k++) {
        for (size_t c = 0; c < N_CONTENDERS; c++) {
            free(table->rows[k].contenders[c].stats.seconds);
        }
    }
    free(table->rows);
}

/* Measures and reports all rows with n_threads. */
static void report_threads(const struct bench_options *options, size_t n_threads, json_t *results,
                           json_t *means)
{
    struct table table = table_of(options, n_threads);
    if (table.n_rows == 0) {
        bench_die("--only %s: no such product", options->filter);
    }
    measure(options, &table, n_threads);
    json_t *more = report_means(&table);
    json_array_extend(means, more);
    json_decref(more);
    for (size_t k = 0; k < table.n_rows; k++) {
        json_array_append_new(results, json_of_row(&table, &table.rows[k]));
    }
    release(&table);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_options_parse(
        argc, argv,
        "GFLOP/s of a layer's products: weft against OpenBLAS, BLIS and oneDNN, as far as they "
        "are\n"
        "installed (Debian: libopenblas0-openmp, libopenblas0-pthread, libblis4-openmp at run "
        "time,\n"
        "libdnnl-dev when this is built). With 1 thread, then with all cores; --threads: only "
        "those.\n"
        "Names to pick from are such as \"f32 dx 784x512 b128\". The budget is for each number of\n"
        "threads.");
    json_t *results = json_array(), *means = json_array();
    weft_context_options context_options = {.n_threads = 1, .isa = options.isa};
    weft_context *context;
    weft_error err;
    if (weft_context_new(&context_options, &context, &err) != WEFT_OK) {
        bench_die("%s", err.message);
    }
    const char *isa = weft_context_isa(context);
    bench_print_machine(isa);
    if (options.n_threads > 0) {
        report_threads(&options, options.n_threads, results, means);
    } else {
        report_threads(&options, 1, results, means);
        if (bench_cores() > 1) {
            report_threads(&options, bench_cores(), results, means);
        }
    }
    json_t *extra = json_pack("{s:o}", "means", means);
    bench_write_results(&options, "gemm", isa, results, extra);
    weft_context_free(context);
    return 0;
}
