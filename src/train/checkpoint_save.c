/* Writing checkpoints, see weft/checkpoint.h: a model file with more blocks and metadata. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <weft/model.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/model_file.h"
#include "nn/layers.h"
#include "train/checkpoint_fields.h"
#include "train/checkpoint_keys.h"
#include "train/train_state.h"

/* The metadata while they are put together; keys are literals or of `keys`. */
struct pairs {
    struct weft_st_pair *items;
    char (*texts)[WEFT_FIELD_SIZE];
    char *keys; /* of the notes */
    size_t n;
};

static bool pairs_init(struct pairs *pairs, const weft_checkpoint_note *notes, size_t n_notes)
{
    size_t n = weft_n_learned_fields + weft_n_option_fields + 5, keys_size = 1;
    for (size_t i = 0; i < n_notes; i++) {
        keys_size += sizeof WEFT_KEY_NOTE + strlen(notes[i].key);
    }
    *pairs = (struct pairs){
        .items = weft_mem_alloc(n + n_notes, sizeof *pairs->items),
        .texts = weft_mem_alloc(n, sizeof *pairs->texts),
        .keys = weft_mem_alloc(keys_size, 1),
    };
    return pairs->items != NULL && pairs->texts != NULL && pairs->keys != NULL;
}

static void pairs_release(struct pairs *pairs)
{
    weft_mem_free(pairs->items);
    weft_mem_free(pairs->texts);
    weft_mem_free(pairs->keys);
}

static void add(struct pairs *pairs, const char *key, const char *value)
{
    pairs->items[pairs->n++] = (struct weft_st_pair){key, value};
}

static void add_fields(struct pairs *pairs, const struct weft_field *fields, size_t n,
                       const void *object)
{
    for (size_t i = 0; i < n; i++) {
        char *text = pairs->texts[pairs->n];
        weft_field_text(&fields[i], object, text);
        add(pairs, fields[i].key, text);
    }
}

static void add_digest(struct pairs *pairs, const char *key, uint64_t digest)
{
    char *text = pairs->texts[pairs->n];
    snprintf(text, WEFT_FIELD_SIZE, "%016" PRIx64, digest);
    add(pairs, key, text);
}

static void add_notes(struct pairs *pairs, const weft_checkpoint_note *notes, size_t n)
{
    char *key = pairs->keys;
    for (size_t i = 0; i < n; i++) {
        size_t size = sizeof WEFT_KEY_NOTE + strlen(notes[i].key);
        snprintf(key, size, WEFT_KEY_NOTE "%s", notes[i].key);
        add(pairs, key, notes[i].value);
        key += size;
    }
}

static void describe(struct pairs *pairs, const struct weft_train_state *state)
{
    weft_digests_find(state->digests, state->data, state->options);
    add_fields(pairs, weft_learned_fields, weft_n_learned_fields, &state->learned);
    add_fields(pairs, weft_option_fields, weft_n_option_fields, state->options);
    add_digest(pairs, WEFT_KEY_DATA, state->digests->data);
    add_digest(pairs, WEFT_KEY_VAL, state->digests->val);
    add(pairs, WEFT_KEY_CHECKPOINT, WEFT_CHECKPOINT_FORMAT);
    add(pairs, WEFT_KEY_KERNELS, weft_context_isa(state->context));
    add(pairs, WEFT_KEY_PRECISION, weft_precision_name(weft_context_precision(state->context)));
}

static weft_status check_notes(const weft_checkpoint_note *notes, size_t n, weft_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!weft_utf8_valid(notes[i].key) || !weft_utf8_valid(notes[i].value)) {
            return weft_fail(err, WEFT_ERR_ARG, "checkpoint: note '%.40s' is not UTF-8",
                             notes[i].key);
        }
    }
    return WEFT_OK;
}

weft_status weft_checkpoint_save(const weft_event *event, const char *path,
                                 const weft_checkpoint_note *notes, size_t n_notes, weft_error *err)
{
    const struct weft_train_state *state = event->state;
    if (state == NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: no state of training to save in this event", path);
    }
    weft_status status = check_notes(notes, n_notes, err);
    if (status != WEFT_OK) {
        return status;
    }
    struct weft_model_block blocks[WEFT_N_BLOCKS];
    size_t n_blocks = 0;
    for (size_t b = 0; b < WEFT_N_BLOCKS; b++) {
        if (state->blocks[b] != NULL) {
            blocks[n_blocks++] =
                (struct weft_model_block){weft_checkpoint_prefixes[b], state->blocks[b]};
        }
    }
    struct pairs pairs;
    if (pairs_init(&pairs, notes, n_notes)) {
        describe(&pairs, state);
        add_notes(&pairs, notes, n_notes);
        status = weft_model_write(state->net, path, pairs.items, pairs.n, blocks, n_blocks, err);
    } else {
        status = weft_fail_nomem(err, "a checkpoint");
    }
    pairs_release(&pairs);
    return status;
}

weft_status weft_checkpoint_save_best(const weft_event *event, const char *path, weft_error *err)
{
    const struct weft_train_state *state = event->state;
    if (state == NULL || state->blocks[WEFT_BLOCK_BEST] == NULL) {
        return weft_fail(err, WEFT_ERR_ARG, "%s: no best epoch to save in this event", path);
    }
    weft_net best = *state->net; /* but for the parameters */
    best.params = (float *)state->blocks[WEFT_BLOCK_BEST];
    return weft_model_save(&best, path, err);
}
