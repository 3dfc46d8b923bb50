/* The system calls by which files are written that must not be lost, each of which tests can make
 * fail. Interrupted calls are made again, writes that were cut short go on. */
#ifndef WEFT_BASE_FILE_CALL_H
#define WEFT_BASE_FILE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* As the calls of those names: -1 and errno where they fail. */
int weft_file_open(const char *path, int flags, mode_t mode);
int weft_file_mode(int fd, mode_t mode); /* fchmod */
int weft_file_sync(int fd);
int weft_file_close(int fd);
int weft_file_rename(const char *from, const char *to);

/* All n bytes, or false and errno. */
bool weft_file_write(int fd, const void *bytes, size_t n);

/* A stream that writes by weft_file_write() and closes fd with itself; *error, which must outlive
 * it, gets the errno of the first write that fails. NULL: no memory. */
FILE *weft_file_stream(int fd, int *error);

/* For tests: how many calls were made since the program started; and what the n-th from now on (1:
 * the next) meets, once; n = 0: nothing. Not for use while other threads write. */
size_t weft_file_count(void);
enum { WEFT_FAULT_SHORT = -1, WEFT_FAULT_KILL = -2, WEFT_FAULT_KILL_AFTER = -3 };
/* An errno; SHORT: a write of one byte; KILL: SIGKILL before or after the call. */
void weft_file_fault(size_t n, int fault);

#endif
