/* How much the classes count: --class-weight. */
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "cli/strict_number.h"
#include "cli/train_job.h"

static weft_status fail_list(const struct train_job *job, weft_error *err)
{
    return weft_fail(err, WEFT_ERR_ARG,
                     "--class-weight: wanted balanced, or %zu numbers from 0, one for each class, "
                     "separated by commas; got '%s'",
                     weft_dataset_n_classes(job->data), job->args->class_weight);
}

/* "1,2.5,1" */
static weft_status read_list(struct train_job *job, size_t n, weft_error *err)
{
    const char *at = job->args->class_weight;
    for (size_t c = 0; c < n; c++) {
        char number[40];
        size_t len = strcspn(at, ",");
        bool last = c + 1 == n;
        if (len >= sizeof number || (at[len] == '\0') != last) {
            return fail_list(job, err);
        }
        memcpy(number, at, len);
        number[len] = '\0';
        if (!cli_parse_real(number, &job->class_weights[c]) || job->class_weights[c] < 0) {
            return fail_list(job, err);
        }
        at += len + !last;
    }
    return WEFT_OK;
}

weft_status train_resolve_weights(struct train_job *job, weft_error *err)
{
    const char *text = job->args->class_weight;
    size_t n = weft_dataset_n_classes(job->data);
    if (text == NULL) {
        return WEFT_OK;
    }
    if (n == 0) {
        return weft_fail(err, WEFT_ERR_ARG, "--class-weight: wanted classes; %s has values",
                         job->args->data);
    }
    job->class_weights = weft_mem_alloc(n, sizeof *job->class_weights);
    if (job->class_weights == NULL) {
        return weft_fail_nomem(err, "weights");
    }
    return strcmp(text, "balanced") == 0 ? weft_balanced_weights(job->data, job->class_weights, err)
                                         : read_list(job, n, err);
}
