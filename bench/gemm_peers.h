/* The libraries that bench_gemm compares: their worker processes and how to talk to them. */
#ifndef WEFT_BENCH_GEMM_PEERS_H
#define WEFT_BENCH_GEMM_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum library { LIBRARY_WEFT, LIBRARY_OPENBLAS, LIBRARY_BLIS, LIBRARY_ONEDNN, N_LIBRARIES };

extern const char *const library_names[N_LIBRARIES];

/* A library with one choice of kernels and threads. */
struct peer_setup {
    enum library library;
    const char *name;        /* of the choice */
    const char *program;     /* of WEFT_WORKER_DIR */
    const char *file;        /* for worker_cblas */
    const char *environment; /* "NAME=VALUE", or NULL */
};

/* Those that are tried: kernels for other CPUs than this one are sometimes faster on it, and what
 * this CPU or machine cannot run is left out as it fails. */
extern const struct peer_setup peer_setups[];
extern const size_t n_peer_setups;

#define PEER_MAX_VARIANTS 8

struct peer {
    const struct peer_setup *setup;
    pid_t process; /* 0: not running */
    FILE *to, *from;
    size_t n_variants; /* of the product prepared last */
    char variants[PEER_MAX_VARIANTS][32];
};

/* Starts the worker; false where it does not answer. */
bool peer_start(struct peer *peer, const struct peer_setup *setup, size_t n_threads,
                const char *isa);

/* request: "PRECISION PRODUCT BATCH N_IN N_OUT". Sets the variants; none where the worker died,
 * which is told on stderr. */
void peer_prepare(struct peer *peer, const char *request);

/* Seconds of one product, which the worker must have among its variants. waited: the time for which
 * the worker's threads waited for a core, as a share of the time measured. */
double peer_time(struct peer *peer, const char *variant, double budget, double *waited);

void peer_stop(struct peer *peer);

#endif
