/* What every test program shares: the main program that runs suites and tests by name, and checks
 * that print what they saw. Include it after the other headers.
 *
 * test_NAME            runs everything
 * test_NAME SUITE      runs one suite;   test_NAME SUITE TEST   one test;   test_NAME --list names
 */
#ifndef WEFT_TESTS_HARNESS_H
#define WEFT_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

#include <CUnit/CUnit.h>

/* Built for another machine, and hence run in an emulator, some 30 times slower. */
#ifndef HARNESS_EMULATED
#define HARNESS_EMULATED 0
#endif

/* gcc says so with a macro, clang with a feature. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HARNESS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HARNESS_SANITIZED 1
#endif

/* Unoptimised, under sanitizers or in an emulator: long tests may then do a part. */
#if defined(HARNESS_SANITIZED) || !defined(__OPTIMIZE__) || HARNESS_EMULATED
#define HARNESS_SLOW_BUILD 1
#else
#define HARNESS_SLOW_BUILD 0
#endif

/* Runs the suites (a table ended by CU_SUITE_INFO_NULL); returns what main returns: 0 where every
 * check passed and at least one test ran, else 1; 77 (skipped) where the environment variable
 * WEFT_ISA asks for a kernel set that this build lacks or this CPU cannot run. */
int harness_main(int argc, char **argv, const CU_SuiteInfo *suites);

/* Each check returns whether it passed, after printing file, line, got and wanted where it did not.
 */
bool check_true(bool got, const char *text, const char *file, int line);
bool check_int(long long got, long long wanted, const char *text, const char *file, int line);
bool check_uint(unsigned long long got, unsigned long long wanted, const char *text,
                const char *file, int line);
bool check_str(const char *got, const char *wanted, const char *text, const char *file, int line);
bool check_has(const char *text, const char *part, const char *file, int line);
/* |got - wanted| <= tolerance; NaN never passes. */
bool check_near(double got, double wanted, double tolerance, const char *text, const char *file,
                int line);
bool check_status(weft_status got, weft_status wanted, const weft_error *err, const char *text,
                  const char *file, int line);
/* Arrays: prints the first bad index, its values, the error and the tolerance. */
bool check_floats_near(const float *got, const float *wanted, size_t n, double absolute,
                       double relative, const char *text, const char *file, int line);
bool check_bytes(const void *got, const void *wanted, size_t n, const char *text, const char *file,
                 int line);

#define CHECK(condition) check_true((condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(got, wanted) check_int((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_UINT(got, wanted) check_uint((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_STR(got, wanted) check_str((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_HAS(text, part) check_has((text), (part), __FILE__, __LINE__)
#define CHECK_NEAR(got, wanted, tolerance)                                                         \
    check_near((got), (wanted), (tolerance), #got, __FILE__, __LINE__)
#define CHECK_STATUS(got, wanted, err)                                                             \
    check_status((got), (wanted), (err), #got, __FILE__, __LINE__)
#define CHECK_OK(got, err) CHECK_STATUS(got, WEFT_OK, err)
#define CHECK_FLOATS_NEAR(got, wanted, n, absolute, relative)                                      \
    check_floats_near((got), (wanted), (n), (absolute), (relative), #got, __FILE__, __LINE__)
#define CHECK_BYTES(got, wanted, n) check_bytes((got), (wanted), (n), #got, __FILE__, __LINE__)

/* A directory for the files of one test, removed with all its content at exit. */
const char *harness_temp_dir(void);

/* A path that is /dev/NAME ("full" or "null"), but one that a broken library may replace: run by
 * root, a node of its own in harness_temp_dir(). NULL where there is none that can be opened. Valid
 * until the program ends. */
const char *harness_device(const char *name);

/* Where the cat/non-cat HDF5 files are (data/README.md), from WEFT_CATS_DIR. NULL, after saying why
 * on stdout, where that is unset or empty or this build has no HDF5. */
const char *harness_cats_dir(void);

/* Writes a file into harness_temp_dir(); the name returned is valid until the program ends. */
const char *harness_write_file(const char *name, const void *bytes, size_t n);

#endif
