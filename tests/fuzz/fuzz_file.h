/* Bytes from the fuzzer as a file in memory. */
#ifndef WEFT_TESTS_FUZZ_FILE_H
#define WEFT_TESTS_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer calls this with every input. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Makes file `slot` (0 or 1) hold these bytes; its path is valid until the program ends. */
const char *fuzz_file(int slot, const void *bytes, size_t n);

/* Ends the program, for the fuzzer to see, where a promise was not kept. */
#define FUZZ_MUST(condition) fuzz_must((condition), #condition)
void fuzz_must(int condition, const char *text);

#endif
