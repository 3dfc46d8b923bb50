/* Messages on stderr, and the check that stdout took everything it was given. */
#include "cli/messages.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_control(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte < 0x20 || byte == 0x7f;
}

void cli_error(const char *command, const char *format, ...)
{
    char message[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    for (char *c = message; *c != '\0'; c++) {
        if (is_control(*c)) {
            *c = '?';
        }
    }
    fprintf(stderr, command != NULL ? "weft %s: %s\n" : "weft%s: %s\n",
            command != NULL ? command : "", message);
}

int cli_fail(const char *command, int code, const weft_error *err)
{
    cli_error(command, "%s", err->message);
    return err->status == WEFT_ERR_NOMEM ? CLI_FAILED : code;
}

int cli_finish_stdout(const char *command, int code)
{
    errno = 0;
    bool failed = ferror(stdout) != 0;
    failed = fflush(stdout) != 0 || failed;
    if (!failed) {
        return code;
    }
    if (errno == EPIPE) {
        return code == CLI_DONE ? CLI_SIGNAL + SIGPIPE : code;
    }
    cli_error(command, "standard output: cannot write%s%s", errno != 0 ? ": " : "",
              errno != 0 ? strerror(errno) : "");
    return code == CLI_DONE ? CLI_FAILED : code;
}

const char *cli_loss_text(double loss, char *text, size_t size)
{
    bool plain = loss == 0 || (fabs(loss) >= 0.001 && fabs(loss) < 1e6);
    snprintf(text, size, plain || !isfinite(loss) ? "%.4f" : "%.3e", loss);
    return text;
}

const char *cli_duration_text(double seconds, char *text, size_t size)
{
    if (!(seconds >= 0 && seconds < 1e9)) {
        snprintf(text, size, "-:--");
    } else if (seconds < 60) {
        snprintf(text, size, "%.1f s", seconds);
    } else if (seconds < 3600) {
        long whole = lround(seconds);
        snprintf(text, size, "%ld:%02ld", whole / 60, whole % 60);
    } else {
        long whole = lround(seconds);
        snprintf(text, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    }
    return text;
}

int cli_name_width(const char *name)
{
    int width = 0;
    for (; *name != '\0'; name++) {
        width += ((unsigned char)*name & 0xC0) != 0x80; /* not a continuation byte */
    }
    return width;
}

void cli_print_name(FILE *stream, const char *name, int width)
{
    int blanks = abs(width) - cli_name_width(name);
    if (width < 0 && blanks > 0) {
        fprintf(stream, "%*s", blanks, "");
    }
    for (const char *c = name; *c != '\0'; c++) {
        putc(is_control(*c) ? '?' : *c, stream);
    }
    if (width > 0 && blanks > 0) {
        fprintf(stream, "%*s", blanks, "");
    }
}
