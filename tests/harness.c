/* The shared main program and the checks that print values; CUnit's own print none. */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "harness.h"

#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <weft/context.h>
#include <weft/dataset.h>

#include <CUnit/Basic.h>

#define EXIT_SKIPPED 77 /* SKIP_RETURN_CODE in CMakeLists.txt */

static bool record(bool passed, const char *text, const char *file, int line)
{
    CU_assertImplementation(passed, (unsigned)line, text, file, "", CU_FALSE);
    return passed;
}

bool check_true(bool got, const char *text, const char *file, int line)
{
    if (!got) {
        printf("\n%s:%d: false: %s", file, line, text);
    }
    return record(got, text, file, line);
}

bool check_int(long long got, long long wanted, const char *text, const char *file, int line)
{
    if (got != wanted) {
        printf("\n%s:%d: %s: got %lld, wanted %lld", file, line, text, got, wanted);
    }
    return record(got == wanted, text, file, line);
}

bool check_uint(unsigned long long got, unsigned long long wanted, const char *text,
                const char *file, int line)
{
    if (got != wanted) {
        printf("\n%s:%d: %s: got %llu, wanted %llu", file, line, text, got, wanted);
    }
    return record(got == wanted, text, file, line);
}

bool check_str(const char *got, const char *wanted, const char *text, const char *file, int line)
{
    bool passed = got != NULL && strcmp(got, wanted) == 0;
    if (!passed) {
        printf("\n%s:%d: %s: got \"%s\", wanted \"%s\"", file, line, text,
               got == NULL ? "(null)" : got, wanted);
    }
    return record(passed, text, file, line);
}

bool check_has(const char *text, const char *part, const char *file, int line)
{
    bool passed = strstr(text, part) != NULL;
    if (!passed) {
        printf("\n%s:%d: got \"%s\", wanted \"%s\" in it", file, line, text, part);
    }
    return record(passed, part, file, line);
}

bool check_near(double got, double wanted, double tolerance, const char *text, const char *file,
                int line)
{
    bool passed = fabs(got - wanted) <= tolerance;
    if (!passed) {
        printf("\n%s:%d: %s: got %.17g, wanted %.17g, error %.3g, tolerance %.3g", file, line, text,
               got, wanted, fabs(got - wanted), tolerance);
    }
    return record(passed, text, file, line);
}

bool check_status(weft_status got, weft_status wanted, const weft_error *err, const char *text,
                  const char *file, int line)
{
    if (got != wanted) {
        printf("\n%s:%d: %s: got \"%s\", wanted \"%s\"; message: %s", file, line, text,
               weft_status_name(got), weft_status_name(wanted),
               got == WEFT_OK || err == NULL ? "(none)" : err->message);
    }
    return record(got == wanted, text, file, line);
}

bool check_floats_near(const float *got, const float *wanted, size_t n, double absolute,
                       double relative, const char *text, const char *file, int line)
{
    for (size_t i = 0; i < n; i++) {
        double g = (double)got[i], w = (double)wanted[i];
        double tolerance = absolute + relative * fabs(w);
        if (!(fabs(g - w) <= tolerance)) {
            printf("\n%s:%d: %s[%zu of %zu]: got %.9g, wanted %.9g, error %.3g, tolerance %.3g",
                   file, line, text, i, n, g, w, fabs(g - w), tolerance);
            return record(false, text, file, line);
        }
    }
    return record(true, text, file, line);
}

bool check_bytes(const void *got, const void *wanted, size_t n, const char *text, const char *file,
                 int line)
{
    const unsigned char *g = got, *w = wanted;
    for (size_t i = 0; i < n; i++) {
        if (g[i] != w[i]) {
            printf("\n%s:%d: %s: byte %zu of %zu: got %02x, wanted %02x", file, line, text, i, n,
                   g[i], w[i]);
            return record(false, text, file, line);
        }
    }
    return record(true, text, file, line);
}

static char temp_dir[] = "/tmp/weft-test.XXXXXX";
static bool temp_dir_made;

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
    (void)info;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void remove_temp_dir(void)
{
    nftw(temp_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *harness_temp_dir(void)
{
    if (!temp_dir_made) {
        if (mkdtemp(temp_dir) == NULL) {
            perror(temp_dir);
            exit(1);
        }
        temp_dir_made = true;
        atexit(remove_temp_dir);
    }
    return temp_dir;
}

/* A test may hold the name of a file in a table, so all are kept until the end. */
static struct file_name {
    struct file_name *next;
    char path[];
} * file_names;

static char *new_file_name(const char *name)
{
    size_t size = strlen(harness_temp_dir()) + 1 + strlen(name) + 1;
    struct file_name *kept = malloc(sizeof *kept + size);
    if (kept == NULL) {
        perror("malloc");
        exit(1);
    }
    snprintf(kept->path, size, "%s/%s", temp_dir, name);
    kept->next = file_names;
    file_names = kept;
    return kept->path;
}

static void free_file_names(void)
{
    while (file_names != NULL) {
        struct file_name *next = file_names->next;
        free(file_names);
        file_names = next;
    }
}

/* The numbers of the device nodes are those of Linux (admin-guide/devices.txt). */
const char *harness_device(const char *name)
{
    static char paths[2][64];
    bool is_full = strcmp(name, "full") == 0;
    char *path = paths[is_full];
    snprintf(path, sizeof paths[0], "%s/%s", geteuid() == 0 ? harness_temp_dir() : "/dev", name);
    if (geteuid() == 0) {
        mknod(path, S_IFCHR | 0600, makedev(1, is_full ? 7 : 3));
    }
    int fd = open(path, O_WRONLY); /* a file system may be mounted without devices */
    if (fd < 0) {
        return NULL;
    }
    close(fd);
    return path;
}

const char *harness_cats_dir(void)
{
    const char *dir = getenv("WEFT_CATS_DIR");
    if (!weft_has_hdf5()) {
        puts("\n  no cats: this build has no HDF5");
        return NULL;
    }
    if (dir == NULL || *dir == '\0') {
        puts("\n  no cats: WEFT_CATS_DIR is not set");
        return NULL;
    }
    return dir;
}

static void write_or_exit(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

/* The files of tests are what fuzzing starts from. */
static void keep_copy(const void *bytes, size_t n)
{
    enum { LARGEST = 4096 };
    static unsigned count;
    const char *dir = getenv("HARNESS_KEEP");
    if (dir != NULL && n <= LARGEST) {
        char path[512];
        snprintf(path, sizeof path, "%s/%06u", dir, count++);
        write_or_exit(path, bytes, n);
    }
}

const char *harness_write_file(const char *name, const void *bytes, size_t n)
{
    const char *path = new_file_name(name);
    write_or_exit(path, bytes, n);
    keep_copy(bytes, n);
    return path;
}

static void list(const CU_SuiteInfo *suites)
{
    for (const CU_SuiteInfo *suite = suites; suite->pName != NULL; suite++) {
        for (const CU_TestInfo *test = suite->pTests; test->pName != NULL; test++) {
            printf("%s %s\n", suite->pName, test->pName);
        }
    }
}

/* Runs what argv names; false where there is nothing of that name. */
static bool run_named(int argc, char **argv)
{
    if (argc < 2) {
        return CU_basic_run_tests() == CUE_SUCCESS;
    }
    CU_pSuite suite = CU_get_suite(argv[1]);
    if (suite == NULL) {
        fprintf(stderr, "%s: no suite '%s'; --list shows them\n", argv[0], argv[1]);
        return false;
    }
    if (argc < 3) {
        return CU_basic_run_suite(suite) == CUE_SUCCESS;
    }
    CU_pTest test = CU_get_test(suite, argv[2]);
    if (test == NULL) {
        fprintf(stderr, "%s: no test '%s' in '%s'; --list shows them\n", argv[0], argv[2], argv[1]);
        return false;
    }
    return CU_basic_run_test(suite, test) == CUE_SUCCESS;
}

/* Whether WEFT_ISA, where it is set, names a kernel set that this build has and this CPU runs. */
static bool isa_can_run(const char *wanted)
{
    for (size_t i = 0; wanted != NULL && i < weft_isa_count(); i++) {
        if (strcmp(weft_isa_name(i), wanted) == 0) {
            return weft_isa_usable(i);
        }
    }
    return wanted == NULL;
}

int harness_main(int argc, char **argv, const CU_SuiteInfo *suites)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list(suites);
        return 0;
    }
    const char *isa = getenv("WEFT_ISA");
    if (!isa_can_run(isa)) {
        printf("skipped: no kernel set %s here\n", isa);
        return EXIT_SKIPPED;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS ||
        CU_register_suites((CU_SuiteInfo *)suites) != CUE_SUCCESS) {
        fprintf(stderr, "%s: cannot register: %s\n", argv[0], CU_get_error_msg());
        return 1;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    bool ran = run_named(argc, argv) && CU_get_number_of_tests_run() > 0;
    bool passed = CU_get_number_of_failures() == 0 && CU_get_number_of_suites_failed() == 0;
    CU_cleanup_registry();
    free_file_names();
    return ran && passed ? 0 : 1;
}
