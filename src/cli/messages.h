/* What every command shares: exit codes, and the one way to tell a person what went wrong. */
#ifndef WEFT_CLI_MESSAGES_H
#define WEFT_CLI_MESSAGES_H

#include <stddef.h>
#include <stdio.h>

#include <weft/status.h>

enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1,   /* no memory, nothing can be written, everything not listed here */
    CLI_USAGE = 2,    /* command line or config file */
    CLI_INPUT = 3,    /* data or model missing, unreadable, broken, or not fitting */
    CLI_DIVERGED = 4, /* the loss stopped being finite */
    CLI_SIGNAL = 128, /* plus the number of the signal that stopped the program */
};

/* Prints "weft COMMAND: MESSAGE" (or "weft: MESSAGE" where command is NULL) on stderr. Control
 * characters, which may come from file names, are shown as '?'. */
void cli_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the message of a failed call and returns the exit code: CLI_FAILED where memory ran out,
 * else `code`. */
int cli_fail(const char *command, int code, const weft_error *err);

/* Flushes stdout and looks whether all of it arrived. Returns `code`, or what to exit with instead:
 * CLI_FAILED after a message, or 128 + SIGPIPE in silence where the reader has gone. */
int cli_finish_stdout(const char *command, int code);

/* A loss for people: 4 decimals, or an exponent where those would say nothing. */
const char *cli_loss_text(double loss, char *text, size_t size);

/* A duration for people: "3.2 s", "4:05", "1:02:03". */
const char *cli_duration_text(double seconds, char *text, size_t size);

/* Prints a name with control characters shown as '?', then blanks up to `width` columns; columns
 * are counted as UTF-8 code points. A negative width puts the blanks first. */
void cli_print_name(FILE *stream, const char *name, int width);
int cli_name_width(const char *name);

#endif
