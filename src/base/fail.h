/* How library code reports failure: fills a weft_error and returns its status, so that a function
 * can end with `return weft_fail(err, WEFT_ERR_FORMAT, "...", ...)`. */
#ifndef WEFT_BASE_FAIL_H
#define WEFT_BASE_FAIL_H

#include <weft/status.h>

/* Formats the message into err (which may be NULL) and returns status; saved_errno becomes 0. The
 * arguments may include err->message itself, and text that is not to be trusted: control characters
 * and bytes that are no UTF-8 become '?', a message that is too long loses its middle. */
weft_status weft_fail(weft_error *err, weft_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a refused system call: keeps `saved_errno` and appends ": " and its text. The status
 * is WEFT_ERR_NOMEM for ENOMEM, else WEFT_ERR_IO. */
weft_status weft_fail_errno(weft_error *err, int saved_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "no memory for WHAT" */
weft_status weft_fail_nomem(weft_error *err, const char *what);

#endif
