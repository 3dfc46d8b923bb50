/* The sections of the page about one run, each a function of the run; those that have nothing to
 * show print nothing. The run's evaluation has been checked when it was read. */
#ifndef WEFT_REPORT_SECTIONS_H
#define WEFT_REPORT_SECTIONS_H

#include <stddef.h>
#include <stdio.h>

#include <weft/status.h>

#include "report/report_run.h"

/* report_overview.c */
void report_print_summary(FILE *out, const struct report_run *run);
void report_print_time(FILE *out, const struct report_run *run);
void report_print_settings(FILE *out, const struct report_run *run);

/* report_learning.c */
WEFT_CHECKED weft_status report_print_learning(FILE *out, const struct report_run *run,
                                               weft_error *err);

/* report_scores.c */
void report_print_confusion(FILE *out, const struct report_run *run);
void report_print_classes(FILE *out, const struct report_run *run);
WEFT_CHECKED weft_status report_print_rankings(FILE *out, const struct report_run *run,
                                               weft_error *err);
WEFT_CHECKED weft_status report_print_outputs(FILE *out, const struct report_run *run,
                                              weft_error *err);

/* report_samples.c */
WEFT_CHECKED weft_status report_print_samples(FILE *out, const struct report_run *run,
                                              weft_error *err);
WEFT_CHECKED weft_status report_print_weights(FILE *out, const struct report_run *run,
                                              weft_error *err);

/* What the sections share. */

/* Fields of an object of the evaluation: NaN, 0 or "" where there is none. */
double report_real_in(const json_t *object, const char *key);
size_t report_count_in(const json_t *object, const char *key);
const char *report_text_in(const json_t *object, const char *key);
const json_t *report_class_at(const struct report_run *run, size_t index);

/* The mean of the classes that have such a number; NaN where none has, or where only some of very
 * many were measured. */
double report_class_mean(const struct report_run *run, const char *key);

/* "test set", "validation set", "training set": what the evaluation is of. */
const char *report_set_name(const struct report_run *run);

/* "784-128-10"; a dash where there is no network. */
void report_print_widths(FILE *out, const weft_net *net);

/* <section id=...><h2>title</h2> and, where note is not NULL, a paragraph of it. */
void report_section_begin(FILE *out, const char *id, const char *title, const char *note);

/* A <dt> and the <dd> that text goes into; </dd> is for the caller to print. */
void report_term(FILE *out, const char *term);

#endif
