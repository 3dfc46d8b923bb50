/* Numbers and options of a checkpoint as text, by tables. */
#ifndef WEFT_TRAIN_CHECKPOINT_FIELDS_H
#define WEFT_TRAIN_CHECKPOINT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <weft/status.h>

enum weft_field_type {
    WEFT_FIELD_COUNT,
    WEFT_FIELD_U64,
    WEFT_FIELD_REAL,
    WEFT_FIELD_FLAG,
    WEFT_FIELD_NAME
};

/* One field of a struct. */
struct weft_field {
    const char *key; /* of the metadata */
    enum weft_field_type type;
    size_t offset;
    bool may_change;                   /* of an option: a resumed run may have another */
    const char *(*name)(size_t index); /* NAME: of an int that counts from 0, */
    size_t n_names;                    /* below this */
};

enum { WEFT_FIELD_SIZE = 40 }; /* of a text */

extern const struct weft_field weft_learned_fields[], weft_option_fields[];
extern const size_t weft_n_learned_fields, weft_n_option_fields;

/* The field of `object` as text, which weft_field_read() takes back to the same bits. */
void weft_field_text(const struct weft_field *field, const void *object,
                     char text[WEFT_FIELD_SIZE]);

/* false where the text is no value of the field. */
WEFT_CHECKED bool weft_field_read(const struct weft_field *field, const char *text, void *object);

#endif
