/* The page that compares runs. */
#ifndef WEFT_REPORT_COMPARE_H
#define WEFT_REPORT_COMPARE_H

#include <stddef.h>
#include <stdio.h>

#include <weft/status.h>

#include "report/report_run.h"

WEFT_CHECKED weft_status report_compare_print(FILE *out, const struct report_run *runs, size_t n,
                                              weft_error *err);

#endif
