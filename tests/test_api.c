/* What a program outside the project would do: it knows <weft/weft.h> and the shared library, no
 * more; so no harness here, which is linked to the static one. Reads a CSV file, scales, trains,
 * evaluates, saves, loads and predicts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/weft.h>

static const char *const data_path = "api_points.csv", *const model_path = "api_model.safetensors";

static void fail(int line, const char *what, const char *why)
{
    fprintf(stderr, "test_api.c:%d: %s: %s\n", line, what, why);
    exit(1);
}

#define WANT(condition) ((condition) ? (void)0 : fail(__LINE__, #condition, "is not so"))
#define OK(call) ((call) == WEFT_OK ? (void)0 : fail(__LINE__, #call, err.message))

static weft_error err;

/* Points in the plane, "inside" a ring or "outside" of it: no line parts them. */
static void write_points(void)
{
    FILE *file = fopen(data_path, "w");
    WANT(file != NULL);
    fprintf(file, "x,y,place\n");
    for (int i = 0; i < 30; i++) {
        for (int j = 0; j < 30; j++) {
            double x = 10 + (i - 14.5) / 100, y = (j - 14.5) * 20;
            double r2 = (i - 14.5) * (i - 14.5) + (j - 14.5) * (j - 14.5);
            fprintf(file, "%g,%g,%s\n", x, y, r2 < 100 ? "inside" : "outside");
        }
    }
    WANT(fclose(file) == 0);
}

static weft_dataset *load_points(void)
{
    weft_dataset_options options = weft_dataset_options_default();
    options.label = "place";
    weft_dataset *data = NULL;
    OK(weft_dataset_load(data_path, &options, &data, &err));
    WANT(weft_dataset_samples(data) == 900 && weft_dataset_features(data) == 2);
    WANT(weft_dataset_n_classes(data) == 2);
    WANT(strcmp(weft_dataset_class_name(data, 0), "inside") == 0);
    WANT(strcmp(weft_dataset_class_name(data, 1), "outside") == 0);
    return data;
}

static weft_net *new_net(const weft_dataset *data, weft_scale_kind kind)
{
    const size_t hidden[] = {16, 8};
    const weft_activation activations[] = {WEFT_TANH, WEFT_RELU};
    const weft_net_options options = {
        .n_inputs = weft_dataset_features(data),
        .n_outputs = weft_dataset_n_classes(data),
        .n_hidden = 2,
        .hidden = hidden,
        .activations = activations,
        .output = WEFT_OUTPUT_SOFTMAX,
    };
    weft_net *net = NULL;
    OK(weft_net_new(&options, &net, &err));
    OK(weft_net_init(net, WEFT_INIT_AUTO, 0, 1, &err));
    weft_scaling scaling;
    OK(weft_scaling_fit(data, kind, &scaling, &err));
    WANT(scaling.kind == WEFT_SCALE_STANDARD && scaling.n == 2);
    OK(weft_net_set_scaling(net, &scaling, &err));
    weft_scaling_release(&scaling);
    const char *names[2] = {weft_dataset_class_name(data, 0), weft_dataset_class_name(data, 1)};
    OK(weft_net_set_class_names(net, names, 2, &err));
    return net;
}

struct seen {
    size_t n_started, n_steps, n_epochs, n_finished;
    double first_loss, last_loss;
};

static bool listen(const weft_event *event, void *user)
{
    struct seen *seen = user;
    seen->n_started += event->kind == WEFT_EVENT_RUN_STARTED;
    seen->n_steps += event->kind == WEFT_EVENT_STEP;
    seen->n_finished += event->kind == WEFT_EVENT_RUN_FINISHED;
    if (event->kind == WEFT_EVENT_EPOCH) {
        seen->first_loss = seen->n_epochs++ == 0 ? event->train.loss : seen->first_loss;
        seen->last_loss = event->train.loss;
    }
    return true;
}

static weft_context *new_context(size_t n_threads)
{
    weft_context_options options = weft_context_options_default();
    options.n_threads = n_threads;
    weft_context *context = NULL;
    OK(weft_context_new(&options, &context, &err));
    return context;
}

static weft_net *trained_net(const weft_dataset *data, size_t n_threads)
{
    weft_net *net = new_net(data, WEFT_SCALE_AUTO);
    weft_context *context = new_context(n_threads);
    struct seen seen = {0};
    weft_train_options options = weft_train_options_default();
    options.epochs = 40;
    options.batch_size = 20;
    options.lr = 0.1;
    options.momentum = 0.9;
    options.listener = listen;
    options.listener_user = &seen;
    OK(weft_train(context, net, data, &options, &err));
    WANT(seen.n_started == 1 && seen.n_finished == 1 && seen.n_epochs == 40);
    WANT(seen.n_steps == 40 * 900 / 20);
    WANT(seen.last_loss < seen.first_loss / 2);
    weft_context_free(context);
    return net;
}

static void check_score(const weft_net *net, const weft_dataset *data)
{
    weft_context *context = new_context(2);
    weft_evaluation evaluation;
    OK(weft_evaluate(context, net, data, &evaluation, &err));
    printf("accuracy %.3f, loss %.4f\n", evaluation.accuracy, evaluation.loss);
    WANT(evaluation.samples == 900 && evaluation.n_classes == 2);
    WANT(evaluation.accuracy > 0.95 && evaluation.auc > 0.98);
    weft_evaluation_release(&evaluation);
    weft_context_free(context);
}

/* Probabilities [900, 2] and classes [900]; free() the former. */
static float *predictions(const weft_net *net, const weft_dataset *data, int32_t *classes)
{
    weft_context *context = new_context(1);
    float *p = malloc(900 * 2 * sizeof *p);
    WANT(p != NULL);
    weft_tensor view = weft_tensor_borrow(WEFT_F32, p, 900, 2, 2);
    OK(weft_predict(context, net, data, &view, classes, &err));
    weft_context_free(context);
    return p;
}

static void check_same_predictions(const weft_net *a, const weft_net *b, const weft_dataset *data)
{
    static int32_t classes_a[900], classes_b[900];
    float *p = predictions(a, data, classes_a), *q = predictions(b, data, classes_b);
    WANT(memcmp(p, q, 900 * 2 * sizeof *p) == 0);
    WANT(memcmp(classes_a, classes_b, sizeof classes_a) == 0);
    for (int i = 0; i < 900; i++) {
        WANT((p[2 * i + 1] > p[2 * i]) == (classes_a[i] == 1));
        WANT(p[2 * i] + p[2 * i + 1] > 0.999f && p[2 * i] + p[2 * i + 1] < 1.001f);
    }
    free(p);
    free(q);
}

static void check_errors(void)
{
    weft_net *net = NULL;
    weft_dataset *data = NULL;
    WANT(weft_model_load("api_none", NULL, &net, &err) == WEFT_ERR_IO && net == NULL);
    WANT(strstr(err.message, "api_none") != NULL && err.saved_errno != 0);
    WANT(weft_model_load(data_path, NULL, &net, &err) == WEFT_ERR_FORMAT && net == NULL);
    WANT(weft_dataset_load("api_none.csv", NULL, &data, NULL) == WEFT_ERR_IO && data == NULL);
}

int main(void)
{
    WANT(strcmp(weft_version(), WEFT_VERSION_STRING) == 0);
    write_points();
    weft_dataset *data = load_points();
    weft_net *net = trained_net(data, 1);
    check_score(net, data);

    weft_net *loaded = NULL;
    OK(weft_model_save(net, model_path, &err));
    OK(weft_model_load(model_path, NULL, &loaded, &err));
    WANT(strcmp(weft_net_class_name(loaded, 1), "outside") == 0);
    check_same_predictions(net, loaded, data);

    weft_net *by_three = trained_net(data, 3);
    check_same_predictions(net, by_three, data);
    check_errors();

    weft_net_free(net);
    weft_net_free(loaded);
    weft_net_free(by_three);
    weft_dataset_free(data);
    remove(data_path);
    remove(model_path);
    puts("ok");
    return 0;
}
