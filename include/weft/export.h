/** Networks for other software: what runs a model, not what trains it on. */
#ifndef WEFT_EXPORT_H
#define WEFT_EXPORT_H

#include <weft/api.h>
#include <weft/net.h>
#include <weft/status.h>

/** In each format the inputs are raw, as weft_predict() takes them, and the scaling is part of the
 *  export. Where they were made of a table's categories, or values may be missing, the export takes
 *  the features that the table became and carries weft_net_columns() as JSON, so that others can
 *  make them: ONNX as metadata weft.columns, C as NAME_columns(), NPZ as text `columns`. Of a
 *  network with classes all give a probability for each class (also for the two of a single
 *  sigmoid) and the class chosen; of several sigmoids, a probability for each output; of an
 *  identity output, its values. */
typedef enum weft_export_format {
    /** An ONNX model of opset 13 (https://onnx.ai): input "x" f32 [batch, n_inputs]; outputs
     *  "probabilities" f32 and "label" i64 [batch], of several sigmoids [batch, n_outputs], or
     *  "values" f32 of an identity output. Metadata weft.class_names: a JSON list. */
    WEFT_EXPORT_ONNX,
    /** A header in C99 (and C++) that needs <math.h> alone, with NAME_predict() after the file's
     *  name: "digits.h" gives digits_predict(). */
    WEFT_EXPORT_C,
    /** Arrays for numpy.load(): W1 [n_out, n_in], b1 [n_out], W2, ...; shift and scale where inputs
     *  are scaled; activations, output and class_names as text. */
    WEFT_EXPORT_NPZ,
    WEFT_N_EXPORT_FORMATS
} weft_export_format;

/** The name for people: "onnx", "c", "npz". */
WEFT_API const char *weft_export_format_name(weft_export_format format);

/** Writes `net` to `path` in a format of other software; equal networks and file names give equal
 *  bytes. The file appears whole or not at all, as with weft_model_save().
 *  WEFT_ERR_ARG: a parameter is not finite, or a class name is not UTF-8. WEFT_ERR_UNSUPPORTED: the
 *  network is larger than the format allows: 2 GiB for ONNX, 4 GiB for NPZ. WEFT_ERR_IO: the file
 *  cannot be written. */
WEFT_API WEFT_CHECKED weft_status weft_model_export(const weft_net *net, weft_export_format format,
                                                    const char *path, weft_error *err);

#endif
