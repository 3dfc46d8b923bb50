/* See gemm_peers.h; what is said to the workers is in worker.h. */
#include "gemm_peers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

const char *const library_names[N_LIBRARIES] = {"weft", "OpenBLAS", "BLIS", "oneDNN"};

#define OPENBLAS_OPENMP WEFT_LIBRARY_DIR "/openblas-openmp/libopenblas.so.0"
#define OPENBLAS_PTHREAD WEFT_LIBRARY_DIR "/openblas-pthread/libopenblas.so.0"
#define BLIS_OPENMP WEFT_LIBRARY_DIR "/blis-openmp/libblis.so.4"

/* BLIS numbers its kernels by the order in its header: 0 skx, 3 haswell, 6 zen3. */
const struct peer_setup peer_setups[] = {
    {LIBRARY_WEFT, "weft", "worker_weft", NULL, NULL},
    {LIBRARY_OPENBLAS, "default", "worker_cblas", OPENBLAS_OPENMP, NULL},
    {LIBRARY_OPENBLAS, "skylakex", "worker_cblas", OPENBLAS_OPENMP, "OPENBLAS_CORETYPE=SkylakeX"},
    {LIBRARY_OPENBLAS, "haswell", "worker_cblas", OPENBLAS_OPENMP, "OPENBLAS_CORETYPE=Haswell"},
    {LIBRARY_OPENBLAS, "pthread", "worker_cblas", OPENBLAS_PTHREAD, "OPENBLAS_CORETYPE=SkylakeX"},
    {LIBRARY_BLIS, "default", "worker_cblas", BLIS_OPENMP, NULL},
    {LIBRARY_BLIS, "skx", "worker_cblas", BLIS_OPENMP, "BLIS_ARCH_TYPE=0"},
    {LIBRARY_BLIS, "haswell", "worker_cblas", BLIS_OPENMP, "BLIS_ARCH_TYPE=3"},
    {LIBRARY_BLIS, "zen3", "worker_cblas", BLIS_OPENMP, "BLIS_ARCH_TYPE=6"},
    {LIBRARY_ONEDNN, "onednn", "worker_onednn", NULL, NULL},
};
const size_t n_peer_setups = sizeof peer_setups / sizeof *peer_setups;

/* In the child: becomes the worker. */
static void become(const struct peer_setup *setup, size_t n_threads, const char *isa)
{
    static const char *const variables[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                            "BLIS_NUM_THREADS"};
    char path[1024], threads[24];
    snprintf(path, sizeof path, "%s/%s", WEFT_WORKER_DIR, setup->program);
    snprintf(threads, sizeof threads, "%zu", n_threads);
    for (size_t k = 0; k < sizeof variables / sizeof *variables; k++) {
        setenv(variables[k], threads, 1);
    }
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("BLIS_ARCH_TYPE");
    if (setup->environment != NULL) {
        putenv(strdup(setup->environment));
    }
    if (setup->file != NULL) {
        execl(path, path, "--library", setup->file, (char *)NULL);
    } else {
        execl(path, path, "--threads", threads, isa == NULL ? NULL : "--isa", isa, (char *)NULL);
    }
    _exit(77);
}

/* One line of answer; false at the end of the worker. */
static bool answer(struct peer *peer, char *line, int size)
{
    return fgets(line, size, peer->from) != NULL;
}

bool peer_start(struct peer *peer, const struct peer_setup *setup, size_t n_threads,
                const char *isa)
{
    int to[2], from[2];
    *peer = (struct peer){.setup = setup};
    signal(SIGPIPE, SIG_IGN); /* a worker that died is seen when it does not answer */
    /* Closed on exec: a worker that held another's pipe would keep it from ending. */
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0 || (peer->process = fork()) < 0) {
        bench_die("cannot start %s", setup->program);
    }
    if (peer->process == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        become(setup, n_threads, isa);
    }
    close(to[0]);
    close(from[1]);
    peer->to = fdopen(to[1], "w");
    peer->from = fdopen(from[0], "r");
    if (peer->to == NULL || peer->from == NULL) {
        bench_die("cannot talk to %s", setup->program);
    }
    peer_prepare(peer, "f32 forward 8 8 8");
    return peer->process != 0;
}

void peer_prepare(struct peer *peer, const char *request)
{
    char line[512] = "";
    peer->n_variants = 0;
    if (peer->process == 0) {
        return;
    }
    fprintf(peer->to, "prepare %s\n", request);
    fflush(peer->to);
    if (!answer(peer, line, sizeof line) || strncmp(line, "ok", 2) != 0) {
        fprintf(stderr, "left out from here on: %s (%s), which gave up at: %s\n",
                library_names[peer->setup->library], peer->setup->name, request);
        peer_stop(peer);
        return;
    }
    for (char *word = strtok(line + 2, " \n"); word != NULL; word = strtok(NULL, " \n")) {
        if (peer->n_variants < PEER_MAX_VARIANTS) {
            snprintf(peer->variants[peer->n_variants++], sizeof peer->variants[0], "%s", word);
        }
    }
}

double peer_time(struct peer *peer, const char *variant, double budget, double *waited)
{
    char line[128];
    double seconds;
    fprintf(peer->to, "time %s %g\n", variant, budget);
    fflush(peer->to);
    if (!answer(peer, line, sizeof line) || sscanf(line, "%lf %lf", &seconds, waited) != 2) {
        bench_die("%s (%s) died", library_names[peer->setup->library], peer->setup->name);
    }
    return seconds;
}

void peer_stop(struct peer *peer)
{
    if (peer->process != 0) {
        fclose(peer->to);
        fclose(peer->from);
        waitpid(peer->process, NULL, 0);
    }
    peer->process = 0;
}
