/* A network as one header in C99 that C++ takes too. Nothing from outside stands in it but numbers,
 * the file's name made an identifier, and class names as escaped string literals. */
#include <stdint.h>
#include <string.h>

#include <weft/version.h>

#include "base/fail.h"
#include "base/mem.h"
#include "model/export_parts.h"
#include "model/model_parts.h"
#include "model/number_text.h"

/* What is being written: in its text '@' stands for the identifier. */
struct header {
    const weft_net *net;
    const char *name;
    FILE *stream;
};

static void put(const struct header *header, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '@') {
            fputs(header->name, header->stream);
        } else {
            putc(*text, header->stream);
        }
    }
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "runs/my-digits.h" gives "my_digits"; a name that could not begin an identifier, or is reserved,
 * gets "model_" in front. NULL: no memory. */
static char *identifier_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(file, '.');
    size_t len = dot == NULL || dot == file ? strlen(file) : (size_t)(dot - file);
    const char *front = is_letter(file[0]) ? "" : "model_";
    size_t n_front = strlen(front);
    char *name = weft_mem_alloc(n_front + len + 1, 1);
    if (name == NULL) {
        return NULL;
    }
    memcpy(name, front, n_front);
    for (size_t i = 0; i < len; i++) {
        bool fits = is_letter(file[i]) || (file[i] >= '0' && file[i] <= '9');
        name[n_front + i] = fits ? file[i] : '_';
    }
    name[n_front + len] = '\0';
    return name;
}

/* A literal of type float: "1.0f", "-2.5e-07f". */
static size_t literal(char *out, float value)
{
    size_t len = weft_number_text(out, value);
    if (memchr(out, '.', len) == NULL && memchr(out, 'e', len) == NULL) {
        out[len++] = '.';
        out[len++] = '0';
    }
    out[len++] = 'f';
    return len;
}

/* values[i * stride] for i < n, in lines that end at column 100. */
static void put_floats(const struct header *header, const float *values, size_t n, size_t stride)
{
    size_t column = 0;
    for (size_t i = 0; i < n; i++) {
        char text[WEFT_MAX_NUMBER + 4];
        size_t len = literal(text, values[i * stride]);
        if (column > 0 && column + 1 + len + 1 > 100) {
            putc('\n', header->stream);
            column = 0;
        }
        fprintf(header->stream, "%s%.*s,", column > 0 ? " " : "    ", (int)len, text);
        column += len + (column > 0 ? 2 : 5);
    }
    putc('\n', header->stream);
}

static void put_array(const struct header *header, const char *what, const float *values, size_t n)
{
    put(header, "static const float @_");
    fprintf(header->stream, "%s[%zu] = {\n", what, n);
    put_floats(header, values, n, 1);
    fputs("};\n\n", header->stream);
}

static void put_parameters(const struct header *header, const float *params)
{
    for (size_t l = 0; l < weft_net_n_layers(header->net); l++) {
        struct weft_layer_view layer = weft_model_view_layer(header->net, params, l);
        put(header, "static const float @_");
        fprintf(header->stream, "weight%zu[%zu] = { /* [%zu inputs][%zu outputs] */\n", l + 1,
                layer.n_in * layer.n_out, layer.n_in, layer.n_out);
        for (size_t i = 0; i < layer.n_in; i++) {
            put_floats(header, layer.weight + i, layer.n_out, layer.n_in);
        }
        fputs("};\n\n", header->stream);
        char bias[32];
        snprintf(bias, sizeof bias, "bias%zu", l + 1);
        put_array(header, bias, layer.bias, layer.n_out);
        params = layer.end;
    }
}

/* A string literal in which every byte stands for itself: no quotes, backslashes, line ends or
 * trigraphs, and no bytes that a compiler could take for another character set. */
static void put_string(const struct header *header, const char *text)
{
    putc('"', header->stream);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20 || byte >= 0x7F || strchr("\"\\?", byte) != NULL) {
            fprintf(header->stream, "\\%03o", byte);
        } else {
            putc(byte, header->stream);
        }
    }
    putc('"', header->stream);
}

static void put_names(const struct header *header)
{
    size_t n = weft_net_n_class_names(header->net);
    fprintf(header->stream, "/* The name of a%s, in UTF-8; index < %zu. */\n",
            weft_net_n_classes(header->net) > 0 ? " class" : "n output", n);
    put(header, "static inline const char *@_name(int index)\n{\n");
    fprintf(header->stream, "    static const char *const names[%zu] = {\n", n);
    for (size_t i = 0; i < n; i++) {
        fputs("        ", header->stream);
        put_string(header, weft_net_class_name(header->net, i));
        fputs(",\n", header->stream);
    }
    put(header, "    };\n    return names[index];\n}\n\n");
}

/* How the features were made of a table, where that was not of numbers alone. */
static bool put_columns(const struct header *header)
{
    if (weft_net_columns(header->net) == NULL) {
        return true;
    }
    char *text = weft_model_columns_text(header->net);
    if (text != NULL) {
        fputs(
            "/* How the numbers x are made of the columns of a table, as JSON: 'categories' has a "
            "list for\n * each column, empty for a number; each category is a number of x, 1 for "
            "the one that is in\n * the column and else 0. 'fill' stands for values that are "
            "missing. */\n",
            header->stream);
        put(header, "static inline const char *@_columns(void)\n{\n    return ");
        put_string(header, text);
        put(header, ";\n}\n\n");
    }
    weft_mem_free(text);
    return text != NULL;
}

static const char *const function_bodies[WEFT_N_ACTIVATIONS] = {
    [WEFT_RELU] = "z > 0.0f ? z : 0.0f",
    [WEFT_LEAKY_RELU] = "z < 0.0f ? 0.01f * z : z",
    [WEFT_TANH] = "tanhf(z)",
    [WEFT_SIGMOID] = "1.0f / (1.0f + expf(-z))",
    [WEFT_GELU] = "0.5f * z * (1.0f + erff(z * 0.707106781f))",
    [WEFT_SILU] = "z / (1.0f + expf(-z))",
    [WEFT_ELU] = "z > 0.0f ? z : expm1f(z)",
    [WEFT_SELU] = "1.05070098f * (z > 0.0f ? z : 1.67326324f * expm1f(z))",
};

/* The functions that the layers use, each once. */
static void put_functions(const struct header *header)
{
    bool used[WEFT_N_ACTIVATIONS] = {0};
    for (size_t l = 0; l + 1 < weft_net_n_layers(header->net); l++) {
        used[weft_net_activation(header->net, l)] = true;
    }
    used[WEFT_SIGMOID] = used[WEFT_SIGMOID] || weft_net_output(header->net) == WEFT_OUTPUT_SIGMOID;
    for (int f = 0; f < WEFT_N_ACTIVATIONS; f++) {
        if (used[f] && function_bodies[f] != NULL) {
            put(header, "static inline float @_");
            fprintf(header->stream, "%s(float z)\n{\n    return %s;\n}\n\n",
                    weft_activation_name((weft_activation)f), function_bodies[f]);
        }
    }
    put(header, "/* z = bias + x weight: along the outputs, which compilers vectorise; an input of "
                "0, as most\n"
                " * pixels are, costs nothing. */\n"
                "static inline void @_layer(const float *weight, const float *bias, size_t n_in,\n"
                "    size_t n_out, const float *x, float *z)\n"
                "{\n"
                "    size_t i, j;\n"
                "    for (j = 0; j < n_out; j++) {\n"
                "        z[j] = bias[j];\n"
                "    }\n"
                "    for (i = 0; i < n_in; i++) {\n"
                "        const float v = x[i], *row = weight + i * n_out;\n"
                "        for (j = 0; v != 0.0f && j < n_out; j++) {\n"
                "            z[j] += v * row[j];\n"
                "        }\n"
                "    }\n"
                "}\n\n");
}

/* Layers go from one to the other of two rows of scratch numbers; 0: not needed. */
struct scratch {
    size_t n[2];
};

/* The row that holds what layer `layer` takes: a for the first, b for the second, ... */
static struct scratch find_scratch(const weft_net *net)
{
    struct scratch scratch = {{weft_net_scaling(net)->n > 0 ? weft_net_n_inputs(net) : 0, 0}};
    for (size_t l = 0; l + 1 < weft_net_n_layers(net); l++) {
        size_t *n = &scratch.n[(l + 1) % 2];
        *n = weft_net_width(net, l) > *n ? weft_net_width(net, l) : *n;
    }
    return scratch;
}

static void put_begin(const struct header *header)
{
    const weft_net *net = header->net;
    struct scratch scratch = find_scratch(net);
    bool classes = weft_net_n_classes(net) > 0;
    fprintf(header->stream, "/* A network that weft " WEFT_VERSION_STRING " wrote: %zu",
            weft_net_n_inputs(net));
    for (size_t l = 0; l < weft_net_n_layers(net); l++) {
        fprintf(header->stream, "-%zu", weft_net_width(net, l));
    }
    put(header, ".\n *\n");
    put(header, classes ? " *     int @_predict(const float *x, float *y)\n"
                        : " *     void @_predict(const float *x, float *y)\n");
    fprintf(header->stream, " *\n * takes %zu raw numbers x, writes %s to y[%zu]%s.\n",
            weft_net_n_inputs(net),
            classes                                        ? "the probabilities of the classes"
            : weft_net_output(net) == WEFT_OUTPUT_IDENTITY ? "the values"
                                                           : "the probability of each output",
            weft_export_is_binary(net) ? 2 : weft_net_n_outputs(net),
            classes ? ",\n * and returns the likeliest class" : "");
    fprintf(header->stream,
            " * It needs nothing but <math.h> (link with -lm) and %zu bytes of the stack, keeps "
            "nothing\n"
            " * between calls, and may be called from any number of threads. In C99 and C++. */\n",
            4 * (scratch.n[0] + scratch.n[1]));
    put(header, "#ifndef @_WEFT_MODEL\n#define @_WEFT_MODEL\n\n#include <math.h>\n"
                "#include <stddef.h>\n\n");
    put(header, "enum { @_n_inputs = ");
    fprintf(header->stream, "%zu, ", weft_net_n_inputs(net));
    put(header, "@_n_outputs = ");
    fprintf(header->stream, "%zu };\n\n", weft_export_is_binary(net) ? 2 : weft_net_n_outputs(net));
}

static void put_layer_calls(const struct header *header)
{
    static const char *const rows[] = {"a", "b"};
    const weft_net *net = header->net;
    const char *from = "x";
    if (weft_net_scaling(net)->n > 0) {
        from = rows[0];
        fprintf(header->stream, "    for (i = 0; i < %zu; i++) {\n", weft_net_n_inputs(net));
        put(header, weft_net_scaling(net)->n == 1
                        ? "        a[i] = (x[i] - @_shift[0]) * @_scale[0];\n    }\n"
                        : "        a[i] = (x[i] - @_shift[i]) * @_scale[i];\n    }\n");
    }
    for (size_t l = 0; l < weft_net_n_layers(net); l++) {
        bool last = l + 1 == weft_net_n_layers(net);
        const char *to = last ? "y" : rows[(l + 1) % 2];
        size_t n_in = l == 0 ? weft_net_n_inputs(net) : weft_net_width(net, l - 1);
        put(header, "    @_layer(@_weight");
        fprintf(header->stream, "%zu, ", l + 1);
        put(header, "@_bias");
        fprintf(header->stream, "%zu, %zu, %zu, %s, %s);\n", l + 1, n_in, weft_net_width(net, l),
                from, to);
        if (!last && function_bodies[weft_net_activation(net, l)] != NULL) {
            fprintf(header->stream,
                    "    for (i = 0; i < %zu; i++) {\n        %s[i] = ", weft_net_width(net, l),
                    to);
            put(header, "@_");
            fprintf(header->stream, "%s(%s[i]);\n    }\n",
                    weft_activation_name(weft_net_activation(net, l)), to);
        }
        from = to;
    }
}

static const char softmax_text[] = "    for (i = 1; i < @_n_outputs; i++) {\n"
                                   "        best = y[i] > y[best] ? i : best;\n"
                                   "    }\n"
                                   "    largest = y[best];\n"
                                   "    for (i = 0; i < @_n_outputs; i++) {\n"
                                   "        y[i] = expf(y[i] - largest);\n"
                                   "        sum += y[i];\n"
                                   "    }\n"
                                   "    for (i = 0; i < @_n_outputs; i++) {\n"
                                   "        y[i] /= sum;\n"
                                   "    }\n"
                                   "    return (int)best;\n";
static const char binary_text[] = "    best = y[0] >= 0.0f;\n"
                                  "    y[1] = @_sigmoid(y[0]);\n"
                                  "    y[0] = 1.0f - y[1];\n"
                                  "    return best;\n";
static const char labels_text[] = "    for (i = 0; i < @_n_outputs; i++) {\n"
                                  "        y[i] = @_sigmoid(y[i]);\n"
                                  "    }\n";

static void put_predict(const struct header *header)
{
    const weft_net *net = header->net;
    struct scratch scratch = find_scratch(net);
    bool softmax = weft_net_output(net) == WEFT_OUTPUT_SOFTMAX;
    bool binary = weft_export_is_binary(net);
    bool labels = weft_net_output(net) == WEFT_OUTPUT_SIGMOID && !binary;
    bool loops = weft_net_scaling(net)->n > 0 || softmax || labels;
    for (size_t l = 0; l + 1 < weft_net_n_layers(net); l++) {
        loops = loops || function_bodies[weft_net_activation(net, l)] != NULL;
    }
    put(header, softmax || binary ? "static inline int @_predict(const float *x, float *y)\n{\n"
                                  : "static inline void @_predict(const float *x, float *y)\n{\n");
    for (size_t r = 0; r < 2; r++) {
        if (scratch.n[r] > 0) {
            fprintf(header->stream, "    float %c[%zu];\n", "ab"[r], scratch.n[r]);
        }
    }
    put(header, loops ? "    size_t i;\n" : "");
    put(header, softmax  ? "    size_t best = 0;\n    float largest, sum = 0.0f;\n"
                : binary ? "    int best;\n"
                         : "");
    put_layer_calls(header);
    put(header, softmax ? softmax_text : binary ? binary_text : labels ? labels_text : "");
    put(header, "}\n\n#endif\n");
}

weft_status weft_export_c(const struct weft_export *export, FILE *stream, weft_error *err)
{
    char *name = identifier_of(export->path);
    if (name == NULL) {
        return weft_fail_nomem(err, "a name in C");
    }
    const struct header header = {export->net, name, stream};
    const weft_scaling *scaling = weft_net_scaling(export->net);
    put_begin(&header);
    if (scaling->n > 0) {
        put_array(&header, "shift", scaling->shift, scaling->n);
        put_array(&header, "scale", scaling->scale, scaling->n);
    }
    put_parameters(&header, export->params);
    put_names(&header);
    bool made = put_columns(&header);
    put_functions(&header);
    put_predict(&header);
    weft_mem_free(name);
    return made ? WEFT_OK : weft_fail_nomem(err, "the columns of a table");
}
