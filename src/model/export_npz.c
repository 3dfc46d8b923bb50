/* NPZ: a ZIP archive of NPY files, stored, as numpy.savez() makes them.
 * Sources: numpy.lib.format (NPY 1.0), PKWARE's APPNOTE.TXT 4.3 (ZIP). */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/fail.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/export_parts.h"
#include "model/model_parts.h"

enum {
    LOCAL_HEADER = 0x04034b50,
    CENTRAL_HEADER = 0x02014b50,
    CENTRAL_END = 0x06054b50,
    ZIP_VERSION = 20, /* of the format: files, stored */
    DOS_DATE = 0x21,  /* the first that there is, so that equal networks give equal bytes */
    NPY_ALIGNMENT = 64,
};

/* The archive as it is written. */
struct archive {
    FILE *stream;
    struct weft_bytes central; /* the directory at its end */
    uint64_t offset;           /* bytes written so far */
    unsigned n_files;
    bool failed;
};

/* What the local and the central header have in common, from version to extra field. */
static void add_common(struct weft_bytes *out, const char *name, const struct weft_bytes *content,
                       uint32_t crc)
{
    weft_bytes_add_number(out, ZIP_VERSION, 2);
    weft_bytes_add_number(out, 0, 2); /* flags */
    weft_bytes_add_number(out, 0, 2); /* stored */
    weft_bytes_add_number(out, 0, 2); /* time */
    weft_bytes_add_number(out, DOS_DATE, 2);
    weft_bytes_add_number(out, crc, 4);
    weft_bytes_add_number(out, content->n, 4); /* compressed, and not */
    weft_bytes_add_number(out, content->n, 4);
    weft_bytes_add_number(out, strlen(name), 2);
    weft_bytes_add_number(out, 0, 2); /* extra field */
}

static void write_entry(struct archive *archive, const char *name, const struct weft_bytes *content)
{
    uint32_t crc = (uint32_t)crc32_z(0, content->data, content->n);
    struct weft_bytes local = {0}, *central = &archive->central;
    weft_bytes_add_number(&local, LOCAL_HEADER, 4);
    add_common(&local, name, content, crc);
    weft_bytes_add_text(&local, name);

    weft_bytes_add_number(central, CENTRAL_HEADER, 4);
    weft_bytes_add_number(central, ZIP_VERSION, 2);
    add_common(central, name, content, crc);
    weft_bytes_add_number(central, 0, 2 + 2 + 2); /* comment, disk, kind */
    weft_bytes_add_number(central, 0, 4);         /* attributes of a system */
    weft_bytes_add_number(central, archive->offset, 4);
    weft_bytes_add_text(central, name);

    archive->failed = archive->failed || content->failed || local.failed || central->failed;
    if (!archive->failed) {
        fwrite(local.data, 1, local.n, archive->stream);
        fwrite(content->data, 1, content->n, archive->stream);
        archive->offset += local.n + content->n;
        archive->n_files++;
    }
    weft_bytes_release(&local);
}

static void write_directory(struct archive *archive)
{
    struct weft_bytes *central = &archive->central;
    size_t size = central->n;
    weft_bytes_add_number(central, CENTRAL_END, 4);
    weft_bytes_add_number(central, 0, 2 + 2); /* disks */
    weft_bytes_add_number(central, archive->n_files, 2);
    weft_bytes_add_number(central, archive->n_files, 2);
    weft_bytes_add_number(central, size, 4);
    weft_bytes_add_number(central, archive->offset, 4);
    weft_bytes_add_number(central, 0, 2); /* comment */
    archive->failed = archive->failed || central->failed;
    if (!archive->failed) {
        fwrite(central->data, 1, central->n, archive->stream);
    }
}

/* Spaces until the data start at a multiple of NPY_ALIGNMENT, and the size of it all in front. */
static void begin_npy(struct weft_bytes *out, const char *descr, const char *shape)
{
    char text[160];
    int len = snprintf(text, sizeof text,
                       "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
    assert(len > 0 && (size_t)len < sizeof text);
    const size_t before = 10; /* magic, version, size */
    size_t size = (before + (size_t)len + 1 + NPY_ALIGNMENT - 1) / NPY_ALIGNMENT * NPY_ALIGNMENT;
    weft_bytes_add(out, "\x93NUMPY\x01\x00", 8);
    weft_bytes_add_number(out, size - before, 2);
    weft_bytes_add_text(out, text);
    while (out->n < size - 1 && !out->failed) {
        weft_bytes_add_text(out, " ");
    }
    weft_bytes_add_text(out, "\n");
}

static void write_floats(struct archive *archive, const char *name, const char *shape,
                         const float *values, size_t n)
{
    struct weft_bytes content = {0};
    begin_npy(&content, "<f4", shape);
    weft_bytes_add_floats(&content, values, n);
    write_entry(archive, name, &content);
    weft_bytes_release(&content);
}

/* The code point that valid UTF-8 begins with. */
static uint32_t code_point(const char *text, size_t len)
{
    const unsigned char *byte = (const unsigned char *)text;
    uint32_t code = len == 1 ? byte[0] : byte[0] & (0x7FU >> len);
    for (size_t i = 1; i < len; i++) {
        code = code << 6 | (byte[i] & 0x3F);
    }
    return code;
}

/* Appends code points of 4 bytes; returns their number. */
static size_t add_utf32(struct weft_bytes *out, const char *text)
{
    size_t n = 0;
    while (*text != '\0') {
        size_t len = weft_utf8_len(text);
        assert(len > 0); /* weft_model_check_sound() has seen it */
        weft_bytes_add_number(out, code_point(text, len), 4);
        text += len;
        n++;
    }
    return n;
}

/* An array of texts of NumPy's type U, all as wide as the longest; one alone has no dimension. */
static void write_texts(struct archive *archive, const char *name, const char *const *texts,
                        size_t n, bool scalar)
{
    struct weft_bytes content = {0};
    size_t width = 1;
    for (size_t i = 0; i < n; i++) {
        size_t len = add_utf32(&content, texts[i]);
        width = len > width ? len : width;
    }
    weft_bytes_release(&content);
    char descr[32], shape[32] = "";
    snprintf(descr, sizeof descr, "<U%zu", width);
    if (!scalar) {
        snprintf(shape, sizeof shape, "%zu,", n);
    }
    begin_npy(&content, descr, shape);
    for (size_t i = 0; i < n; i++) {
        for (size_t len = add_utf32(&content, texts[i]); len < width; len++) {
            weft_bytes_add_number(&content, 0, 4);
        }
    }
    write_entry(archive, name, &content);
    weft_bytes_release(&content);
}

static void write_layers(struct archive *archive, const struct weft_export *export)
{
    const float *params = export->params;
    for (size_t l = 0; l < weft_net_n_layers(export->net); l++) {
        struct weft_layer_view layer = weft_model_view_layer(export->net, params, l);
        char name[32], shape[64];
        snprintf(name, sizeof name, "W%zu.npy", l + 1);
        snprintf(shape, sizeof shape, "%zu, %zu", layer.n_out, layer.n_in);
        write_floats(archive, name, shape, layer.weight, layer.n_out * layer.n_in);
        snprintf(name, sizeof name, "b%zu.npy", l + 1);
        snprintf(shape, sizeof shape, "%zu,", layer.n_out);
        write_floats(archive, name, shape, layer.bias, layer.n_out);
        params = layer.end;
    }
}

static void write_description(struct archive *archive, const weft_net *net)
{
    const weft_scaling *scaling = weft_net_scaling(net);
    if (scaling->n > 0) {
        char shape[32];
        snprintf(shape, sizeof shape, "%zu,", scaling->n);
        write_floats(archive, "shift.npy", shape, scaling->shift, scaling->n);
        write_floats(archive, "scale.npy", shape, scaling->scale, scaling->n);
    }
    const char *names[WEFT_MODEL_MAX_LAYERS];
    size_t n_hidden = weft_net_n_layers(net) - 1;
    for (size_t l = 0; l < n_hidden; l++) {
        names[l] = weft_activation_name(weft_net_activation(net, l));
    }
    write_texts(archive, "activations.npy", names, n_hidden, false);
    names[0] = weft_output_name(weft_net_output(net));
    write_texts(archive, "output.npy", names, 1, true);
    write_texts(archive, "class_names.npy", weft_net_class_names(net), weft_net_n_class_names(net),
                false);
    if (weft_net_columns(net) != NULL) {
        char *columns = weft_model_columns_text(net);
        names[0] = columns == NULL ? "" : columns;
        archive->failed = archive->failed || columns == NULL;
        write_texts(archive, "columns.npy", names, 1, true);
        weft_mem_free(columns);
    }
}

weft_status weft_export_npz(const struct weft_export *export, FILE *stream, weft_error *err)
{
    const uint64_t limit = UINT32_MAX; /* of sizes and places in an archive */
    weft_status status = weft_export_check_size(export, "NPZ", limit, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct archive archive = {.stream = stream};
    write_layers(&archive, export);
    write_description(&archive, export->net);
    write_directory(&archive);
    if (archive.failed) {
        status = weft_fail_nomem(err, "an NPZ archive");
    } else if (archive.offset + archive.central.n > limit) {
        status = weft_fail(err, WEFT_ERR_UNSUPPORTED, "%s: larger than 4 GiB, which NPZ allows",
                           export->path);
    }
    weft_bytes_release(&archive.central);
    return status;
}
