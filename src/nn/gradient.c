/* Stand-alone forward and gradient calls: what training does, for callers with a loop of their
 * own. */
#include <weft/net.h>

#include "base/fail.h"
#include "base/mem.h"
#include "nn/layers.h"
#include "nn/pass.h"
#include "ops/output.h"
#include "ops/team.h"

static size_t part_rows(size_t rows)
{
    return rows < WEFT_PASS_ROWS ? rows : WEFT_PASS_ROWS;
}

static weft_status check_input(const weft_net *net, const weft_tensor *x, weft_error *err)
{
    if (x->cols != weft_net_n_inputs(net)) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "%zu features, the network wants %zu", x->cols,
                         weft_net_n_inputs(net));
    }
    if (x->rows == 0) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "no samples");
    }
    return WEFT_OK;
}

weft_status weft_net_forward(weft_context *context, const weft_net *net, const weft_tensor *x,
                             weft_tensor *logits, weft_error *err)
{
    weft_status status = check_input(net, x, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (logits->dtype != WEFT_F32 || logits->rows != x->rows ||
        logits->cols != weft_net_n_outputs(net)) {
        return weft_fail(err, WEFT_ERR_MISMATCH, "logits are %s [%zu, %zu], wanted f32 [%zu, %zu]",
                         logits->dtype == WEFT_F32 ? "f32" : "u8", logits->rows, logits->cols,
                         x->rows, weft_net_n_outputs(net));
    }
    struct weft_pass pass;
    status = weft_pass_init(&pass, WEFT_PASS_FORWARD, context, net, x, part_rows(x->rows), err);
    if (status == WEFT_OK) {
        weft_pass_over(&pass, x, NULL, logits, NULL);
        weft_pass_release(&pass);
    }
    return status;
}

struct gradient_job {
    struct weft_pass *pass;
    const weft_tensor *x;
    const weft_targets *targets;
    float *block; /* NULL: only the loss is wanted */
    double loss;  /* summed over samples */
};

static void gradient_team(void *arg)
{
    struct gradient_job *job = arg;
    for (size_t first = 0; first < job->x->rows; first += WEFT_PASS_ROWS) {
        struct weft_part part = {
            .x = job->x,
            .targets = job->targets,
            .first = first,
            .n = part_rows(job->x->rows - first),
        };
        weft_pass_forward_team(job->pass, &part);
        weft_pass_loss_team(job->pass, &part, 1.0f / (float)job->x->rows);
#pragma omp single nowait
        job->loss += weft_loss_total(job->pass->sums, weft_loss_n_blocks(part.n)).loss;
        if (job->block != NULL) {
            weft_pass_backward_team(job->pass, &part, job->block, first > 0, NULL);
        } else {
            weft_team_barrier(job->pass->context);
        }
    }
}

weft_status weft_net_gradient(weft_context *context, const weft_net *net, const weft_tensor *x,
                              const weft_targets *targets, double *loss, float *gradient,
                              weft_error *err)
{
    weft_status status = check_input(net, x, err);
    if (status == WEFT_OK) {
        status = weft_net_check_targets(net, targets, x->rows, err);
    }
    if (status != WEFT_OK) {
        return status;
    }
    if (weft_net_has_statistics(net) && x->rows > WEFT_PASS_ROWS) {
        return weft_fail(err, WEFT_ERR_ARG,
                         "batch normalisation: %zu samples at once, wanted at most %d", x->rows,
                         WEFT_PASS_ROWS);
    }
    struct weft_pass pass;
    status = weft_pass_init(&pass, WEFT_PASS_BACKWARD, context, net, x, part_rows(x->rows), err);
    if (status != WEFT_OK) {
        return status;
    }
    struct gradient_job job = {.pass = &pass, .x = x, .targets = targets};
    if (gradient != NULL) {
        job.block = weft_mem_zalloc(net->block_len, sizeof *job.block);
    }
    if (gradient != NULL && job.block == NULL) {
        status = weft_fail_nomem(err, "a gradient");
    } else {
        weft_team_run_for(context, weft_pass_flop(net, WEFT_PASS_BACKWARD, pass.x.rows),
                          gradient_team, &job);
        *loss = job.loss / (double)x->rows;
        if (gradient != NULL) {
            weft_block_export(net, job.block, gradient);
        }
    }
    weft_mem_free(job.block);
    weft_pass_release(&pass);
    return status;
}
