/* What a person sees while a network trains: a bar where stderr is a terminal, and a line now and
 * then. */
#ifndef WEFT_CLI_PROGRESS_BAR_H
#define WEFT_CLI_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/train.h>

struct cli_progress {
    bool quiet, bar, color, utf8;
    size_t every;          /* epochs from one line to the next */
    bool drawn;            /* the bar is on the screen */
    double due;            /* seconds of the run from which the bar may be drawn again */
    double loss, accuracy; /* sums over the batches of this epoch */
    size_t n_batches;
};

/* Looks at stderr, TERM, NO_COLOR and the locale's variables. */
void cli_progress_init(struct cli_progress *progress, bool quiet, size_t every);

/* For each event of training; costs next to nothing where no redraw is due. */
void cli_progress_event(struct cli_progress *progress, const weft_event *event);

/* Takes the bar off the screen. */
void cli_progress_clear(struct cli_progress *progress);

/* A sensible number of epochs between two lines: at most 20 lines, steps of 1, 2, 5, 10, ... */
size_t cli_progress_every(size_t epochs);

/* The text of the bar for `width` columns, with nothing that moves the cursor; returns its columns.
 * Exposed for tests. */
size_t cli_progress_text(const struct cli_progress *progress, const weft_event *event, size_t width,
                         char *text, size_t size);

#endif
