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

weft_status weft_model_export(const weft_net *net, weft_export_format format, const char *path,
                              weft_error *err)
{
    if ((unsigned)format >= WEFT_N_EXPORT_FORMATS) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: no export format has the number %d", path,
                         (int)format);
    }
    float *params = weft_mem_alloc(weft_net_n_params(net), sizeof *params);
    if (params == NULL) {
        return weft_fail_nomem(err, "the parameters of a model");
    }
    weft_net_get_params(net, params);
    weft_status status = weft_model_check_sound(net, path, params, err);
    if (status == WEFT_OK) {
        status = write_file(&(struct weft_export){net, params, path}, format, err);
    }
    weft_mem_free(params);
    return status;
}
