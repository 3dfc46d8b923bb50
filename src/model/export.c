/* Networks for other software: what the formats share. */
#include <weft/export.h>

#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "model/export_parts.h"
#include "model/model_parts.h"

static const struct {
    const char *name;
    weft_status (*write)(const struct weft_export *, FILE *, weft_error *);
} formats[WEFT_N_EXPORT_FORMATS] = {
    [WEFT_EXPORT_ONNX] = {"onnx", weft_export_onnx},
    [WEFT_EXPORT_C] = {"c", weft_export_c},
    [WEFT_EXPORT_NPZ] = {"npz", weft_export_npz},
};

const char *weft_export_format_name(weft_export_format format)
{
    return formats[format].name;
}

bool weft_export_is_binary(const weft_net *net)
{
    return weft_net_output(net) == WEFT_OUTPUT_SIGMOID && weft_net_n_outputs(net) == 1;
}

weft_status weft_export_check_size(const struct weft_export *export, const char *format,
                                   uint64_t limit, weft_error *err)
{
    uint64_t n = (uint64_t)weft_net_n_params(export->net) + 2 * weft_net_scaling(export->net)->n;
    if (n < limit / sizeof(float)) {
        return WEFT_OK;
    }
    return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                     "%s: the network has %" PRIu64
                     " numbers of 4 bytes, %s allows files of %" PRIu64 " bytes",
                     export->path, n, format, limit);
}

static weft_status write_file(const struct weft_export *export, weft_export_format format,
                              weft_error *err)
{
    struct weft_safefile file;
    weft_status status = weft_safefile_open(&file, export->path, err);
    if (status != WEFT_OK) {
        return status;
    }
    status = formats[format].write(export, file.stream, err);
    if (status != WEFT_OK) {
        weft_safefile_abort(&file);
        return status;
    }
    return weft_safefile_commit(&file, err);
}

/* Layer normalisation depends on the sample, so that it cannot be folded. */
static weft_status check_norms(const weft_net *net, const char *path, weft_error *err)
{
    for (size_t l = 0; l + 1 < weft_net_n_layers(net); l++) {
        if (weft_net_norm(net, l) == WEFT_NORM_LAYER) {
            return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                             "%s: layer normalisation cannot be exported; batch normalisation can",
                             path);
        }
    }
    return WEFT_OK;
}

weft_status weft_model_export(const weft_net *net, weft_export_format format, const char *path,
                              weft_error *err)
{
    if ((unsigned)format >= WEFT_N_EXPORT_FORMATS) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: no export format has the number %d", path,
                         (int)format);
    }
    weft_status status = check_norms(net, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    weft_net *folded = NULL;
    status = weft_net_fold(net, &folded, err);
    if (status != WEFT_OK) {
        return status;
    }
    float *params = weft_mem_alloc(weft_net_n_params(folded), sizeof *params);
    if (params == NULL) {
        weft_net_free(folded);
        return weft_fail_nomem(err, "the parameters of a model");
    }
    weft_net_get_params(folded, params);
    status = weft_model_check_sound(folded, path, params, err);
    if (status == WEFT_OK) {
        status = write_file(&(struct weft_export){folded, params, path}, format, err);
    }
    weft_mem_free(params);
    weft_net_free(folded);
    return status;
}
