/* What weft bench says before its results, as text and as JSON. */
#include <string.h>

#include "cli/bench_job.h"
#include "cli/core_count.h"
#include "cli/json_line.h"
#include "cli/machine.h"

static double weights_of(const weft_net *net, size_t layer)
{
    size_t below = layer == 0 ? weft_net_n_inputs(net) : weft_net_width(net, layer - 1);
    return (double)below * (double)weft_net_width(net, layer);
}

double bench_forward_flops(const weft_net *net)
{
    double sum = 0;
    for (size_t l = 0; l < weft_net_n_layers(net); l++) {
        sum += 2 * weights_of(net, l);
    }
    return sum;
}

double bench_training_flops(const weft_net *net)
{
    return 3 * bench_forward_flops(net) - 2 * weights_of(net, 0);
}

size_t bench_batch_samples(const weft_dataset *data, size_t batch_size)
{
    size_t all = weft_dataset_samples(data);
    return batch_size == 0 || batch_size > all ? all : batch_size;
}

void bench_print_setup(const struct bench_job *job)
{
    const struct bench_args *args = job->args;
    char cpu[128];
    size_t cores = cli_granted_cores();
    cli_cpu_name(cpu, sizeof cpu);
    printf("%-10s%s, %zu core%s for this process\n", "machine", cpu, cores, cores == 1 ? "" : "s");
    printf("%-10s%s, %s kernels, %s, %s\n%-10s", "weft", weft_version(), args->common.isa,
           cli_precision_choice(args->common.precision), cli_compiler(), "network");
    cli_print_network(stdout, job->net);
    if (args->model != NULL) {
        printf(" (%s)", args->model);
    }
    putchar('\n');
    if (job->data != NULL) {
        printf("%-10s", "data");
        cli_print_data(stdout, args->data != NULL ? args->data : "made up", job->data);
        putchar('\n');
    }
}

static json_t *json_network(const weft_net *net)
{
    json_t *object = json_object(), *widths = json_array(), *activations = json_array();
    int failed = json_array_append_new(widths, cli_json_count(weft_net_n_inputs(net)));
    for (size_t i = 0; i < weft_net_n_layers(net); i++) {
        failed |= json_array_append_new(widths, cli_json_count(weft_net_width(net, i)));
    }
    for (size_t i = 0; i + 1 < weft_net_n_layers(net); i++) {
        const char *name = weft_activation_name(weft_net_activation(net, i));
        failed |= json_array_append_new(activations, cli_json_text(name));
    }
    failed |= json_object_set_new(object, "widths", widths);
    failed |= json_object_set_new(object, "activations", activations);
    failed |= json_object_set_new(object, "output",
                                  cli_json_text(weft_output_name(weft_net_output(net))));
    failed |= json_object_set_new(object, "parameters", cli_json_count(weft_net_n_params(net)));
    if (failed != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* A text, or null. */
static json_t *json_path(const char *path)
{
    return path != NULL ? cli_json_text(path) : json_null();
}

int bench_put_setup(json_t *object, const struct bench_job *job)
{
    const struct bench_args *args = job->args;
    int failed =
        json_object_set_new(object, "benchmark", cli_json_text(strrchr(job->command, ' ') + 1));
    failed |= json_object_set_new(object, "version", cli_json_text(weft_version()));
    failed |= json_object_set_new(object, "compiler", cli_json_text(cli_compiler()));
    failed |= json_object_set_new(object, "isa", cli_json_text(args->common.isa));
    failed |= json_object_set_new(object, "precision",
                                  cli_json_text(cli_precision_choice(args->common.precision)));
    failed |= json_object_set_new(object, "machine", cli_json_machine());
    failed |= json_object_set_new(object, "network", json_network(job->net));
    if (job->data != NULL) {
        failed |= json_object_set_new(object, "data", json_path(args->data));
        failed |=
            json_object_set_new(object, "samples", cli_json_count(weft_dataset_samples(job->data)));
    } else {
        failed |= json_object_set_new(object, "model", json_path(args->model));
    }
    return failed;
}
