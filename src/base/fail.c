/* Statuses and error messages. */
#include "base/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

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

/* Makes one line of UTF-8 of whatever file names and file contents brought into a message. */
static void clean(char *text)
{
    while (*text != '\0') {
        size_t len = weft_utf8_len(text);
        if (len == 0 || (unsigned char)*text < 0x20 || *text == 0x7F) {
            *text = '?';
            len = 1;
        }
        text += len;
    }
}

static bool inside_char(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Copies text into message[size]; where it is too long the middle gives way, for the start says
 * where and the end says why. */
static void cut_to_fit(char *message, size_t size, const char *text)
{
    static const char gap[] = " ... ";
    size_t len = strlen(text);
    if (len < size) {
        memcpy(message, text, len + 1);
        return;
    }
    size_t head = size / 2 - sizeof gap;
    size_t tail = len - size / 2;
    while (inside_char(text[head])) {
        head--;
    }
    while (inside_char(text[tail])) {
        tail++;
    }
    memcpy(message, text, head);
    memcpy(message + head, gap, sizeof gap - 1);
    memcpy(message + head + sizeof gap - 1, text + tail, len - tail + 1);
}

/* The text is put together apart from err->message, which may be among the arguments. */
static void set_message(weft_error *err, weft_status status, int saved_errno, const char *format,
                        va_list args)
{
    char text[5000]; /* holds the longest path that Linux knows (4096) and what is said about it */
    char cause[128] = "";
    if (saved_errno != 0 && strerror_r(saved_errno, cause, sizeof cause) != 0) {
        snprintf(cause, sizeof cause, "error %d", saved_errno);
    }
    if (vsnprintf(text, sizeof text - sizeof cause - 2, format, args) < 0) {
        text[0] = '\0';
    }
    if (saved_errno != 0) {
        strcat(strcat(text, ": "), cause);
    }
    clean(text);
    err->status = status;
    err->saved_errno = saved_errno;
    cut_to_fit(err->message, sizeof err->message, text);
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
