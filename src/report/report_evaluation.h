/* evaluation.json: what a trained network makes of data that it was not trained on, and what the
 * training took, so that a report can be made from the run directory alone, without the data. */
#ifndef WEFT_REPORT_EVALUATION_H
#define WEFT_REPORT_EVALUATION_H

#include <stddef.h>

#include <weft/context.h>
#include <weft/dataset.h>
#include <weft/net.h>
#include <weft/status.h>

#include <jansson.h>

#include "report/sample_predictions.h"

#define REPORT_EVALUATION_FILE "evaluation.json"

/* The version of the layout of the file. */
enum { REPORT_EVALUATION_FORMAT = 1 };

/* Limits of what the file holds of each. */
enum {
    REPORT_MOST_POINTS = 150,  /* of a curve */
    REPORT_MOST_CURVES = 10,   /* classes with curves: those with the smallest areas */
    REPORT_MOST_RANKED = 100,  /* classes with areas */
    REPORT_MOST_MATRIX = 100,  /* classes with a confusion matrix */
    REPORT_MOST_CONFUSED = 20, /* pairs of classes most often taken for each other */
    REPORT_MOST_SAMPLES = 12,  /* predictions of each kind */
    REPORT_MOST_SCATTER = 500, /* pairs of true and predicted values */
    REPORT_MOST_OUTPUTS = 16,  /* outputs with such pairs */
    REPORT_MOST_SIDE = 64,     /* pixels of an image */
};

/* A trained network and how it came about; all borrowed. */
struct report_subject {
    /* What weft_evaluate() and weft_predict() say of the set that the report is about; NULL where
     * that is not known yet. */
    const weft_evaluation *evaluation;
    const struct sample_predictions *predictions;
    weft_context *context;
    const weft_net *net;
    const weft_dataset *train, *val, *test; /* val and test may be NULL */
    const weft_dataset *shown; /* samples of the set that is evaluated, in its place; may be NULL */
    const char *train_path, *val_path, *test_path; /* read where there is such a set */
    const char *outcome;                           /* "finished", "stopped by SIGINT" */
    const char *ended;                             /* date and time, for people */
    size_t epochs, steps;                          /* that were made */
    /* Seconds of reading data, of training steps, of evaluations between epochs, and of that of the
     * test set at the end. */
    double load_seconds, train_seconds, watch_seconds, test_seconds;
    const char *kernels, *precision, *compiler, *cpu, *system;
    size_t threads, cores;
};

/* Evaluates the network on the test set, or where there is none on the validation set, or else on
 * the training set, and writes what was found, whole or not at all. WEFT_ERR_IO, WEFT_ERR_NOMEM;
 * WEFT_ERR_MISMATCH: data does not fit the network. */
WEFT_CHECKED weft_status report_evaluation_write(const struct report_subject *subject,
                                                 const char *path, weft_error *err);

/* Reads a file; *out is an object in which everything that a report asks for has the type it should
 * have. WEFT_ERR_IO: it cannot be read. WEFT_ERR_FORMAT: it is not what weft writes; the message
 * names file and place. To be given to json_decref(). */
WEFT_CHECKED weft_status report_evaluation_read(const char *path, json_t **out, weft_error *err);

#endif
