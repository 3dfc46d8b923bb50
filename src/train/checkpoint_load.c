/* Reading checkpoints, which are not to be trusted: the checksum is looked at first, then every
 * number by itself; whether they fit a run, and each other, is checkpoint_check.c's. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "model/model_file.h"
#include "model/model_parts.h"
#include "nn/layers.h"
#include "train/checkpoint_fields.h"
#include "train/checkpoint_keys.h"
#include "train/train_state.h"

const char *const weft_checkpoint_prefixes[] = {
    [WEFT_BLOCK_M] = "weft.m.",
    [WEFT_BLOCK_V] = "weft.v.",
    [WEFT_BLOCK_AVERAGE] = "weft.average.",
    [WEFT_BLOCK_BEST] = "weft.best.",
};

static weft_status bad_entry(const struct weft_st_file *file, const char *key, weft_error *err)
{
    const char *text = weft_st_metadata(file, key);
    return text == NULL
               ? weft_fail(err, WEFT_ERR_FORMAT, "%s: lacks %s", file->path, key)
               : weft_fail(err, WEFT_ERR_FORMAT, "%s: %s is '%.40s'", file->path, key, text);
}

static weft_status read_fields(const struct weft_st_file *file, const struct weft_field *fields,
                               size_t n, void *object, weft_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *text = weft_st_metadata(file, fields[i].key);
        if (text == NULL || !weft_field_read(&fields[i], text, object)) {
            return bad_entry(file, fields[i].key, err);
        }
    }
    return WEFT_OK;
}

static weft_status read_digest(const struct weft_st_file *file, const char *key, uint64_t *digest,
                               weft_error *err)
{
    const char *text = weft_st_metadata(file, key);
    if (text == NULL || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
        return bad_entry(file, key, err);
    }
    *digest = strtoull(text, NULL, 16);
    return WEFT_OK;
}

static weft_status read_text(const struct weft_st_file *file, const char *key, char **out,
                             weft_error *err)
{
    const char *text = weft_st_metadata(file, key);
    if (text == NULL) {
        return bad_entry(file, key, err);
    }
    *out = weft_mem_strdup(text);
    return *out != NULL ? WEFT_OK : weft_fail_nomem(err, "a checkpoint");
}

static weft_status read_numbers(weft_checkpoint *checkpoint, const struct weft_st_file *file,
                                weft_error *err)
{
    weft_status status =
        read_fields(file, weft_learned_fields, weft_n_learned_fields, &checkpoint->learned, err);
    if (status == WEFT_OK) {
        status =
            read_fields(file, weft_option_fields, weft_n_option_fields, &checkpoint->options, err);
    }
    if (status == WEFT_OK) {
        status = read_digest(file, WEFT_KEY_DATA, &checkpoint->digests.data, err);
    }
    if (status == WEFT_OK) {
        status = read_digest(file, WEFT_KEY_VAL, &checkpoint->digests.val, err);
    }
    if (status == WEFT_OK) {
        status = read_text(file, WEFT_KEY_KERNELS, &checkpoint->isa, err);
    }
    return status == WEFT_OK ? read_text(file, WEFT_KEY_PRECISION, &checkpoint->precision, err)
                             : status;
}

static weft_status read_notes(weft_checkpoint *checkpoint, const struct weft_st_file *file,
                              weft_error *err)
{
    json_t *metadata = json_object_get(file->header, "__metadata__");
    checkpoint->notes = weft_mem_zalloc(json_object_size(metadata), sizeof *checkpoint->notes);
    bool ok = checkpoint->notes != NULL;
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value)
    {
        if (ok && strncmp(key, WEFT_KEY_NOTE, strlen(WEFT_KEY_NOTE)) == 0) {
            weft_checkpoint_note *note = &checkpoint->notes[checkpoint->n_notes++];
            note->key = weft_mem_strdup(key + strlen(WEFT_KEY_NOTE));
            note->value = weft_mem_strdup(json_string_value(value));
            ok = note->key != NULL && note->value != NULL;
        }
    }
    return ok ? WEFT_OK : weft_fail_nomem(err, "a checkpoint");
}

/* Whether the file has tensors of a block. */
static bool has_block(const struct weft_st_file *file, const char *prefix)
{
    for (size_t i = 0; i < file->n_tensors; i++) {
        if (strncmp(file->tensors[i].name, prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

static weft_status read_blocks(weft_checkpoint *checkpoint, struct weft_st_file *file,
                               weft_error *err)
{
    size_t n_found = 1; /* that of the network itself */
    for (size_t b = 0; b < WEFT_N_BLOCKS; b++) {
        const char *prefix = weft_checkpoint_prefixes[b];
        if (!has_block(file, prefix)) {
            continue;
        }
        n_found++;
        checkpoint->blocks[b] = weft_mem_zalloc(checkpoint->net->block_len, sizeof(float));
        if (checkpoint->blocks[b] == NULL) {
            return weft_fail_nomem(err, "a checkpoint");
        }
        weft_status status =
            weft_model_read_block(file, checkpoint->net, prefix, checkpoint->blocks[b], err);
        if (status != WEFT_OK) {
            return status;
        }
    }
    size_t wanted = n_found * weft_model_list_tensors(checkpoint->net, NULL);
    return file->n_tensors == wanted
               ? WEFT_OK
               : weft_fail(err, WEFT_ERR_FORMAT, "%s: %zu tensors, wanted %zu", file->path,
                           file->n_tensors, wanted);
}

static weft_status read_all(weft_checkpoint *checkpoint, struct weft_st_file *file, weft_error *err)
{
    const char *format = weft_st_metadata(file, WEFT_KEY_CHECKPOINT);
    if (format == NULL) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: no checkpoint: it lacks " WEFT_KEY_CHECKPOINT,
                         file->path);
    }
    if (strcmp(format, WEFT_CHECKPOINT_FORMAT) != 0) {
        return weft_fail(err, WEFT_ERR_FORMAT,
                         "%s: a newer weft wrote it: " WEFT_KEY_CHECKPOINT
                         " is '%.20s', wanted '" WEFT_CHECKPOINT_FORMAT "'",
                         file->path, format);
    }
    weft_status status = weft_st_check_seal(file, err);
    if (status == WEFT_OK) {
        status = read_numbers(checkpoint, file, err);
    }
    if (status == WEFT_OK) {
        status = read_notes(checkpoint, file, err);
    }
    if (status == WEFT_OK) {
        status = weft_model_read(file, &checkpoint->net, err);
    }
    return status == WEFT_OK ? read_blocks(checkpoint, file, err) : status;
}

weft_status weft_checkpoint_load(const char *path, weft_checkpoint **out, weft_error *err)
{
    struct weft_st_file file;
    weft_checkpoint *checkpoint = weft_mem_zalloc(1, sizeof *checkpoint);
    if (checkpoint == NULL) {
        return weft_fail_nomem(err, "a checkpoint");
    }
    weft_status status = weft_st_open(&file, path, err);
    if (status == WEFT_OK) {
        status = read_all(checkpoint, &file, err);
        weft_st_close(&file);
    }
    if (status != WEFT_OK) {
        weft_checkpoint_free(checkpoint);
        return status;
    }
    *out = checkpoint;
    return WEFT_OK;
}

void weft_checkpoint_free(weft_checkpoint *checkpoint)
{
    if (checkpoint == NULL) {
        return;
    }
    for (size_t i = 0; i < checkpoint->n_notes; i++) {
        weft_mem_free((char *)checkpoint->notes[i].key);
        weft_mem_free((char *)checkpoint->notes[i].value);
    }
    for (size_t b = 0; b < WEFT_N_BLOCKS; b++) {
        weft_mem_free(checkpoint->blocks[b]);
    }
    weft_mem_free(checkpoint->notes);
    weft_mem_free(checkpoint->isa);
    weft_mem_free(checkpoint->precision);
    weft_net_free(checkpoint->net);
    weft_mem_free(checkpoint);
}

const weft_net *weft_checkpoint_net(const weft_checkpoint *checkpoint)
{
    return checkpoint->net;
}

size_t weft_checkpoint_step(const weft_checkpoint *checkpoint)
{
    return checkpoint->learned.step;
}

size_t weft_checkpoint_epoch(const weft_checkpoint *checkpoint)
{
    return checkpoint->learned.epoch;
}

size_t weft_checkpoint_epochs(const weft_checkpoint *checkpoint)
{
    return checkpoint->options.epochs;
}

const char *weft_checkpoint_isa(const weft_checkpoint *checkpoint)
{
    return checkpoint->isa;
}

const char *weft_checkpoint_get_note(const weft_checkpoint *checkpoint, const char *key)
{
    for (size_t i = 0; i < checkpoint->n_notes; i++) {
        if (strcmp(checkpoint->notes[i].key, key) == 0) {
            return checkpoint->notes[i].value;
        }
    }
    return NULL;
}
