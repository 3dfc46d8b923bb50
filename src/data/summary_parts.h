/* Reading a source through for what is in it, for inspection and before a conversion. */
#ifndef WEFT_DATA_SUMMARY_PARTS_H
#define WEFT_DATA_SUMMARY_PARTS_H

#include <weft/summary.h>

#include "data/source.h"

/* Options.missing for a reader that is to give NaN for what is missing. */
#define WEFT_MISSING_MARK ((weft_missing)WEFT_N_MISSING)

/* Reads an open source to its end. rank, which may be NULL: for labels that are ids, which class
 * each id is [n_rank], to be freed. */
WEFT_CHECKED weft_status weft_source_summarize(struct weft_source *source,
                                               const weft_dataset_options *options,
                                               weft_summary *out, int32_t **rank, size_t *n_rank,
                                               weft_error *err);

/* Samples for a block of about 1 MB. */
size_t weft_source_block_rows(const struct weft_source *source);

#endif
