/* Statuses and error messages. */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *weft_status_name(weft_status status)
{
    switch (status) {
    case WEFT_OK:
        return "ok";
    case WEFT_ERR_ARG:
        return "bad argument";
    case WEFT_ERR_NOMEM:
        return "no memory";
    case WEFT_ERR_IO:
        return "input/output error";
    case WEFT_ERR_FORMAT:
        return "bad file content";
    case WEFT_ERR_MISMATCH:
        return "inputs do not fit together";
    case WEFT_ERR_UNSUPPORTED:
        return "not supported here";
    case WEFT_ERR_DIVERGED:
        return "training diverged";
    case WEFT_ERR_STOPPED:
        return "stopped on request";
    }
    return "unknown status";
}

static void set_message(weft_error *err, weft_status status, int saved_errno, const char *format,
                        va_list args)
{
    err->status = status;
    err->saved_errno = saved_errno;
    int len = vsnprintf(err->message, sizeof err->message, format, args);
    if (saved_errno != 0 && len >= 0 && (size_t)len < sizeof err->message) {
        snprintf(err->message + len, sizeof err->message - (size_t)len, ": %s",
                 strerror(saved_errno));
    }
}

weft_status weft_fail(weft_error *err, weft_status status, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        set_message(err, status, 0, format, args);
        va_end(args);
    }
    return status;
}

weft_status weft_fail_errno(weft_error *err, int saved_errno, const char *format, ...)
{
    weft_status status = saved_errno == ENOMEM ? WEFT_ERR_NOMEM : WEFT_ERR_IO;
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        set_message(err, status, saved_errno, format, args);
        va_end(args);
    }
    return status;
}

weft_status weft_fail_nomem(weft_error *err, const char *what)
{
    return weft_fail(err, WEFT_ERR_NOMEM, "no memory for %s", what);
}
