/* A page to draw on: one HTML file with the model inside, which shows in any browser and without a
 * network what the model makes of a drawing. */
#ifndef WEFT_CLI_DEMO_PAGE_H
#define WEFT_CLI_DEMO_PAGE_H

#include <weft/net.h>
#include <weft/status.h>

struct cli_demo_options {
    const char *model; /* for messages */
    const char *image; /* "WxH"; NULL: a square */
    /* The input that stands for full ink. 0: of a unit scaling the largest that it saw; of a
     * standard one 255, or 1 where no mean is above 1; without a scaling 1. */
    double ink;
};

/* Writes the page, whole or not at all; equal networks give equal bytes.
 * WEFT_ERR_ARG: options->image is no size, or not that of the inputs. WEFT_ERR_MISMATCH: the inputs
 * are no square of at least 8 x 8 and no size is given, or the outputs are no probabilities.
 * WEFT_ERR_IO: the file cannot be written. */
WEFT_CHECKED weft_status cli_demo_write(const weft_net *net, const struct cli_demo_options *options,
                                        const char *path, weft_error *err);

#endif
