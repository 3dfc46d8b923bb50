/* ONNX models: a graph of operators as protocol buffers. Field numbers and types are those of
 * onnx.proto (github.com/onnx/onnx), operators those of opset 13, which all readers of the last
 * years take; gelu, an operator from opset 20 on, is spelt with Erf, as PyTorch's exporter does. */
#include <stdint.h>
#include <string.h>

#include <weft/version.h>

#include "base/bytes.h"
#include "base/fail.h"
#include "base/mem.h"
#include "model/export_parts.h"
#include "model/model_parts.h"

enum { IR_VERSION = 7, OPSET = 13 };
enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 }; /* TensorProto.DataType */

/* ModelProto */
enum { MODEL_IR = 1, MODEL_PRODUCER = 2, MODEL_PRODUCER_VERSION = 3, MODEL_GRAPH = 7 };
enum { MODEL_OPSET = 8, MODEL_METADATA = 14 };
/* GraphProto */
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
/* NodeProto */
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5 };
/* AttributeProto; and the numbers of its types */
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_TYPE = 20 };
enum { ATTRIBUTE_IS_FLOAT = 1, ATTRIBUTE_IS_INT = 2 };
/* TensorProto */
enum { TENSOR_DIM = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };
/* ValueInfoProto, TypeProto, TypeProto.Tensor, TensorShapeProto, its Dimension */
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_ELEMENT = 1, TENSOR_SHAPE = 2 };
enum { SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };
/* StringStringEntryProto, OperatorSetIdProto */
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2, OPSET_DOMAIN = 1, OPSET_VERSION = 2 };

struct attribute {
    const char *name;
    bool is_float;
    float f;
    int64_t i;
};

static void add_attribute(struct weft_bytes *out, const struct attribute *attribute)
{
    size_t at = weft_proto_begin(out, NODE_ATTRIBUTE);
    weft_proto_text(out, ATTRIBUTE_NAME, attribute->name);
    if (attribute->is_float) {
        weft_proto_f32(out, ATTRIBUTE_F, attribute->f);
    } else {
        weft_proto_varint(out, ATTRIBUTE_I, (uint64_t)attribute->i);
    }
    weft_proto_varint(out, ATTRIBUTE_TYPE,
                      attribute->is_float ? ATTRIBUTE_IS_FLOAT : ATTRIBUTE_IS_INT);
    weft_proto_end(out, at);
}

/* output = op(inputs); the node is called as its output. Inputs end at the first NULL. */
static void add_node(struct weft_bytes *out, const char *op, const char *const inputs[3],
                     const char *output, const struct attribute *attributes, size_t n_attributes)
{
    size_t at = weft_proto_begin(out, GRAPH_NODE);
    for (size_t i = 0; i < 3 && inputs[i] != NULL; i++) {
        weft_proto_text(out, NODE_INPUT, inputs[i]);
    }
    weft_proto_text(out, NODE_OUTPUT, output);
    weft_proto_text(out, NODE_NAME, output);
    weft_proto_text(out, NODE_OP, op);
    for (size_t i = 0; i < n_attributes; i++) {
        add_attribute(out, &attributes[i]);
    }
    weft_proto_end(out, at);
}

static void add_unary(struct weft_bytes *out, const char *op, const char *x, const char *output)
{
    add_node(out, op, (const char *[3]){x}, output, NULL, 0);
}

static void add_binary(struct weft_bytes *out, const char *op, const char *x, const char *y,
                       const char *output)
{
    add_node(out, op, (const char *[3]){x, y}, output, NULL, 0);
}

/* A node with one input and one attribute. */
static void add_with(struct weft_bytes *out, const char *op, const char *x, const char *output,
                     struct attribute attribute)
{
    add_node(out, op, (const char *[3]){x}, output, &attribute, 1);
}

/* A float32 constant of the graph; dims[n_dims], for a scalar none. */
static void add_tensor(struct weft_bytes *out, const char *name, const size_t *dims, size_t n_dims,
                       const float *values)
{
    size_t at = weft_proto_begin(out, GRAPH_INITIALIZER), count = 1;
    for (size_t i = 0; i < n_dims; i++) {
        weft_proto_varint(out, TENSOR_DIM, dims[i]);
        count *= dims[i];
    }
    weft_proto_varint(out, TENSOR_TYPE, TYPE_FLOAT);
    weft_proto_text(out, TENSOR_NAME, name);
    size_t raw = weft_proto_begin(out, TENSOR_RAW);
    weft_bytes_add_floats(out, values, count);
    weft_proto_end(out, raw);
    weft_proto_end(out, at);
}

static void add_scalar(struct weft_bytes *out, const char *name, float value)
{
    add_tensor(out, name, NULL, 0, &value);
}

/* An input or output of the graph: [batch, columns], or [batch] for 0 columns. */
static void add_value(struct weft_bytes *out, unsigned field, const char *name, unsigned type,
                      size_t columns)
{
    size_t value = weft_proto_begin(out, field);
    weft_proto_text(out, VALUE_NAME, name);
    size_t any = weft_proto_begin(out, VALUE_TYPE);
    size_t tensor = weft_proto_begin(out, TYPE_TENSOR);
    weft_proto_varint(out, TENSOR_ELEMENT, type);
    size_t shape = weft_proto_begin(out, TENSOR_SHAPE);
    size_t dim = weft_proto_begin(out, SHAPE_DIM);
    weft_proto_text(out, DIM_PARAM, "batch");
    weft_proto_end(out, dim);
    if (columns > 0) {
        dim = weft_proto_begin(out, SHAPE_DIM);
        weft_proto_varint(out, DIM_VALUE, columns);
        weft_proto_end(out, dim);
    }
    weft_proto_end(out, shape);
    weft_proto_end(out, tensor);
    weft_proto_end(out, any);
    weft_proto_end(out, value);
}

/* x' = (x - shift) * scale; returns the name of what the first layer takes. */
static const char *add_scaling(struct weft_bytes *out, const weft_scaling *scaling)
{
    if (scaling->n == 0) {
        return "x";
    }
    add_tensor(out, "shift", &scaling->n, 1, scaling->shift);
    add_tensor(out, "scale", &scaling->n, 1, scaling->scale);
    add_binary(out, "Sub", "x", "shift", "shifted");
    add_binary(out, "Mul", "shifted", "scale", "scaled");
    return "scaled";
}

enum { NAME_SIZE = 40, PART_SIZE = NAME_SIZE + 40 };

/* z = x W^T + b */
static void add_layer(struct weft_bytes *out, const struct weft_layer_view *layer, size_t index,
                      const char *x, const char *z)
{
    char weight[NAME_SIZE], bias[NAME_SIZE];
    snprintf(weight, sizeof weight, "%zu.weight", 2 * index);
    snprintf(bias, sizeof bias, "%zu.bias", 2 * index);
    add_tensor(out, weight, (size_t[]){layer->n_out, layer->n_in}, 2, layer->weight);
    add_tensor(out, bias, &layer->n_out, 1, layer->bias);
    const struct attribute transposed = {.name = "transB", .i = 1};
    add_node(out, "Gemm", (const char *[3]){x, weight, bias}, z, &transposed, 1);
}

/* z/2 (1 + erf(z / sqrt 2)), whose constants are added where they are used first. */
static void add_gelu(struct weft_bytes *out, const char *z, const char *y, bool first)
{
    char part[4][PART_SIZE];
    for (size_t i = 0; i < 4; i++) {
        snprintf(part[i], sizeof part[i], "%s.gelu%zu", y, i);
    }
    if (first) {
        add_scalar(out, "gelu.sqrt_half", 0.707106781F);
        add_scalar(out, "gelu.one", 1);
        add_scalar(out, "gelu.half", 0.5F);
    }
    add_binary(out, "Mul", z, "gelu.sqrt_half", part[0]);
    add_unary(out, "Erf", part[0], part[1]);
    add_binary(out, "Add", part[1], "gelu.one", part[2]);
    add_binary(out, "Mul", z, "gelu.half", part[3]);
    add_binary(out, "Mul", part[3], part[2], y);
}

static void add_activation(struct weft_bytes *out, weft_activation activation, const char *z,
                           const char *y, bool first_gelu)
{
    char part[PART_SIZE];
    switch (activation) {
    case WEFT_RELU:
        add_unary(out, "Relu", z, y);
        break;
    case WEFT_LEAKY_RELU:
        add_with(out, "LeakyRelu", z, y, (struct attribute){"alpha", true, 0.01F, 0});
        break;
    case WEFT_TANH:
        add_unary(out, "Tanh", z, y);
        break;
    case WEFT_SIGMOID:
        add_unary(out, "Sigmoid", z, y);
        break;
    case WEFT_GELU:
        add_gelu(out, z, y, first_gelu);
        break;
    case WEFT_SILU:
        snprintf(part, sizeof part, "%s.sigmoid", y);
        add_unary(out, "Sigmoid", z, part);
        add_binary(out, "Mul", z, part, y);
        break;
    case WEFT_ELU:
        add_unary(out, "Elu", z, y);
        break;
    case WEFT_SELU:
        add_unary(out, "Selu", z, y);
        break;
    case WEFT_IDENTITY:
    case WEFT_N_ACTIVATIONS:
        add_unary(out, "Identity", z, y);
        break;
    }
}

/* From "logits" to what predictions are: see weft/export.h. */
static void add_output(struct weft_bytes *out, const weft_net *net)
{
    size_t n = weft_net_n_outputs(net);
    weft_output output = weft_net_output(net);
    if (output == WEFT_OUTPUT_IDENTITY) {
        add_unary(out, "Identity", "logits", "values");
        add_value(out, GRAPH_OUTPUT, "values", TYPE_FLOAT, n);
        return;
    }
    bool binary = weft_export_is_binary(net), labels = output == WEFT_OUTPUT_SIGMOID && !binary;
    const struct attribute columns = {.name = "axis", .i = 1};
    if (output == WEFT_OUTPUT_SOFTMAX) {
        add_with(out, "Softmax", "logits", "probabilities", columns);
    } else if (binary) {
        add_scalar(out, "one", 1);
        add_unary(out, "Sigmoid", "logits", "second");
        add_binary(out, "Sub", "one", "second", "first");
        add_node(out, "Concat", (const char *[3]){"first", "second"}, "probabilities", &columns, 1);
        add_unary(out, "Neg", "logits", "negative");
        add_node(out, "Concat", (const char *[3]){"negative", "logits"}, "scores", &columns, 1);
    } else {
        add_unary(out, "Sigmoid", "logits", "probabilities");
    }
    if (labels) {
        add_scalar(out, "zero", 0);
        add_binary(out, "GreaterOrEqual", "logits", "zero", "is_set");
        add_with(out, "Cast", "is_set", "label", (struct attribute){"to", false, 0, TYPE_INT64});
    } else {
        /* As weft chooses: the first of the largest logits; the second class where z >= 0, that is,
         * the last of the larger ones of -z and z. */
        const char *scores = binary ? "scores" : "logits";
        const struct attribute choice[] = {
            columns, {.name = "keepdims"}, {.name = "select_last_index", .i = binary}};
        add_node(out, "ArgMax", (const char *[3]){scores}, "label", choice, 3);
    }
    add_value(out, GRAPH_OUTPUT, "probabilities", TYPE_FLOAT, binary ? 2 : n);
    add_value(out, GRAPH_OUTPUT, "label", TYPE_INT64, labels ? n : 0);
}

static void add_graph(struct weft_bytes *out, const struct weft_export *export)
{
    const weft_net *net = export->net;
    size_t graph = weft_proto_begin(out, MODEL_GRAPH);
    weft_proto_text(out, GRAPH_NAME, "weft");
    add_value(out, GRAPH_INPUT, "x", TYPE_FLOAT, weft_net_n_inputs(net));
    char x[NAME_SIZE], z[NAME_SIZE];
    snprintf(x, sizeof x, "%s", add_scaling(out, weft_net_scaling(net)));
    bool had_gelu = false;
    const float *params = export->params;
    for (size_t l = 0; l < weft_net_n_layers(net); l++) {
        bool last = l + 1 == weft_net_n_layers(net);
        struct weft_layer_view layer = weft_model_view_layer(net, params, l);
        params = layer.end;
        snprintf(z, sizeof z, "%zu.linear", 2 * l);
        add_layer(out, &layer, l, x, last ? "logits" : z);
        if (!last) {
            weft_activation activation = weft_net_activation(net, l);
            snprintf(x, sizeof x, "%zu.%s", 2 * l + 1, weft_activation_name(activation));
            add_activation(out, activation, z, x, !had_gelu);
            had_gelu = had_gelu || activation == WEFT_GELU;
        }
    }
    add_output(out, net);
    weft_proto_end(out, graph);
}

static void add_entry(struct weft_bytes *out, const char *key, const char *value)
{
    size_t at = weft_proto_begin(out, MODEL_METADATA);
    weft_proto_text(out, ENTRY_KEY, key);
    weft_proto_text(out, ENTRY_VALUE, value);
    weft_proto_end(out, at);
}

static void add_model(struct weft_bytes *out, const struct weft_export *export, const char *names,
                      const char *columns)
{
    weft_proto_varint(out, MODEL_IR, IR_VERSION);
    weft_proto_text(out, MODEL_PRODUCER, "weft");
    weft_proto_text(out, MODEL_PRODUCER_VERSION, WEFT_VERSION_STRING);
    size_t opset = weft_proto_begin(out, MODEL_OPSET);
    weft_proto_text(out, OPSET_DOMAIN, "");
    weft_proto_varint(out, OPSET_VERSION, OPSET);
    weft_proto_end(out, opset);
    add_graph(out, export);
    add_entry(out, WEFT_KEY_CLASS_NAMES, names);
    add_entry(out, WEFT_KEY_OUTPUT, weft_output_name(weft_net_output(export->net)));
    if (columns != NULL) {
        add_entry(out, WEFT_KEY_COLUMNS, columns);
    }
}

weft_status weft_export_onnx(const struct weft_export *export, FILE *stream, weft_error *err)
{
    const uint64_t limit = INT32_MAX; /* of a message, in every implementation */
    weft_status status = weft_export_check_size(export, "ONNX", limit, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct weft_bytes out = {0};
    bool has_columns = weft_net_columns(export->net) != NULL;
    char *names = weft_model_class_names_text(export->net);
    char *columns = has_columns ? weft_model_columns_text(export->net) : NULL;
    bool made = names != NULL && (columns != NULL || !has_columns);
    if (made) {
        add_model(&out, export, names, columns);
    }
    if (!made || out.failed) {
        status = weft_fail_nomem(err, "an ONNX model");
    } else if (out.n > limit) {
        status = weft_fail(err, WEFT_ERR_UNSUPPORTED, "%s: %zu bytes, ONNX allows files of %d",
                           export->path, out.n, INT32_MAX);
    } else {
        fwrite(out.data, 1, out.n, stream);
    }
    weft_mem_free(names);
    weft_mem_free(columns);
    weft_bytes_release(&out);
    return status;
}
