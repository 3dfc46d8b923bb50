/* The writers of weft_model_export(), one for each format. */
#ifndef WEFT_MODEL_EXPORT_PARTS_H
#define WEFT_MODEL_EXPORT_PARTS_H

#include <stdbool.h>
#include <stdio.h>

#include <weft/net.h>
#include <weft/status.h>

/* What is to be written where. */
struct weft_export {
    const weft_net *net;
    const float *params; /* all of them, finite */
    const char *path;    /* for messages, and for names within the file */
};

/* Each writes the content of the file to `stream`, whose errors its owner looks for. */
WEFT_CHECKED weft_status weft_export_onnx(const struct weft_export *export, FILE *stream,
                                          weft_error *err);
WEFT_CHECKED weft_status weft_export_c(const struct weft_export *export, FILE *stream,
                                       weft_error *err);
WEFT_CHECKED weft_status weft_export_npz(const struct weft_export *export, FILE *stream,
                                         weft_error *err);

/* WEFT_ERR_UNSUPPORTED where parameters and scaling alone take `limit` bytes or more. */
WEFT_CHECKED weft_status weft_export_check_size(const struct weft_export *export,
                                                const char *format, uint64_t limit,
                                                weft_error *err);

/* A single sigmoid, which tells two classes apart. */
bool weft_export_is_binary(const weft_net *net);

#endif
