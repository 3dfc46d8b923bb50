/* "Did you mean ...?": the known name nearest to one that is not known. */
#ifndef WEFT_CLI_SUGGESTION_H
#define WEFT_CLI_SUGGESTION_H

#include <stddef.h>

/* Insertions, deletions, replacements and swaps of neighbours that turn a into b (optimal string
 * alignment: Damerau 1964, Wagner & Fischer 1974); SIZE_MAX where a name is over 63 bytes. */
size_t cli_edit_distance(const char *a, const char *b);

/* A search for the best name so far: start with {typed}, offer every known name, look at `best`,
 * which stays NULL where nothing is near enough to be worth a hint. '_' and '-' count as equal. */
struct cli_suggestion {
    const char *typed;
    const char *best;
    size_t distance;
};

void cli_suggestion_offer(struct cli_suggestion *suggestion, const char *name);

#endif
