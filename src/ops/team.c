/* The parallel region. Whatever is parallel in weft runs inside it. */
#include "ops/team.h"

void weft_team_run(const weft_context *context, weft_team_work *work, void *arg)
{
#pragma omp parallel num_threads((int)context->n_threads)
    {
        work(arg);
    }
}
