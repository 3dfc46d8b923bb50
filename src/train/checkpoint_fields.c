/* See checkpoint_fields.h. Reals are written with up to 17 digits, which name a double uniquely. */
#include "train/checkpoint_fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "data/number.h"
#include "train/train_state.h"

#define LEARNED(type, member)                                                                      \
    {                                                                                              \
        "weft.learned." #member, WEFT_FIELD_##type, offsetof(struct weft_learned, member), false,  \
            NULL, 0                                                                                \
    }
const struct weft_field weft_learned_fields[] = {
    LEARNED(COUNT, epoch),         LEARNED(COUNT, step),
    LEARNED(REAL, epoch_sum.loss), LEARNED(COUNT, epoch_sum.n_right),
    LEARNED(COUNT, epoch_samples), LEARNED(REAL, lr),
    LEARNED(REAL, lr_factor),      LEARNED(REAL, last_loss),
    LEARNED(REAL, seconds),        LEARNED(REAL, plateau.lr),
    LEARNED(REAL, plateau.best),   LEARNED(COUNT, plateau.n_bad),
    LEARNED(COUNT, best_epoch),    LEARNED(FLAG, best.known),
    LEARNED(REAL, best.loss),      LEARNED(REAL, best.accuracy),
    LEARNED(FLAG, train.known),    LEARNED(REAL, train.loss),
    LEARNED(REAL, train.accuracy), LEARNED(FLAG, val.known),
    LEARNED(REAL, val.loss),       LEARNED(REAL, val.accuracy),
    LEARNED(FLAG, test.known),     LEARNED(REAL, test.loss),
    LEARNED(REAL, test.accuracy),
};
const size_t weft_n_learned_fields = sizeof weft_learned_fields / sizeof *weft_learned_fields;

static const char *schedule_name(size_t index)
{
    return weft_schedule_name((weft_schedule)index);
}

static const char *optimizer_name(size_t index)
{
    return weft_optimizer_name((weft_optimizer)index);
}

static const char *shuffle_name(size_t index)
{
    return weft_shuffle_name((weft_shuffle)index);
}

static const char *watched_name(size_t index)
{
    return weft_watched_name((weft_watched)index);
}

#define OPTION(type, member, may_change)                                                           \
    {                                                                                              \
        "weft.options." #member, WEFT_FIELD_##type, offsetof(weft_train_options, member),          \
            may_change, NULL, 0                                                                    \
    }
#define NAMED(member, name, n)                                                                     \
    {                                                                                              \
        "weft.options." #member, WEFT_FIELD_NAME, offsetof(weft_train_options, member), false,     \
            name, n                                                                                \
    }

/* All options but pointers, and those that only say when to end. Weights of classes are in the
 * digest of the data. */
const struct weft_field weft_option_fields[] = {
    OPTION(COUNT, epochs, true),
    OPTION(COUNT, batch_size, false),
    OPTION(REAL, lr, false),
    NAMED(schedule, schedule_name, WEFT_N_SCHEDULES),
    OPTION(FLAG, lr_by_epoch, false),
    OPTION(COUNT, warmup, false),
    OPTION(COUNT, lr_period, false),
    OPTION(COUNT, lr_period_factor, false),
    OPTION(COUNT, lr_patience, false),
    OPTION(REAL, lr_factor, false),
    OPTION(REAL, lr_min, false),
    NAMED(optimizer, optimizer_name, WEFT_N_OPTIMIZERS),
    OPTION(REAL, momentum, false),
    OPTION(REAL, beta1, false),
    OPTION(REAL, beta2, false),
    OPTION(REAL, epsilon, false),
    OPTION(REAL, weight_decay, false),
    OPTION(REAL, l1, false),
    OPTION(REAL, clip_norm, false),
    OPTION(REAL, clip_value, false),
    OPTION(REAL, max_norm, false),
    OPTION(REAL, label_smoothing, false),
    OPTION(REAL, ema, false),
    OPTION(REAL, dropout, false),
    OPTION(REAL, input_dropout, false),
    OPTION(REAL, input_noise, false),
    OPTION(COUNT, random_shift, false),
    NAMED(shuffle, shuffle_name, WEFT_N_SHUFFLES),
    OPTION(COUNT, shuffle_buffer, false),
    OPTION(U64, seed, false),
    NAMED(watch, watched_name, WEFT_N_WATCHED),
    OPTION(REAL, min_delta, false),
    OPTION(FLAG, keep_best, false),
};
const size_t weft_n_option_fields = sizeof weft_option_fields / sizeof *weft_option_fields;

/* Whoever adds an option has to think of the table above, and then of this number. */
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(weft_train_options) == 352, "a new option belongs into the table above");
#endif

/* With so many digits; the decimal point is '.' whatever the locale says. */
static void print_digits(double value, int digits, char text[WEFT_FIELD_SIZE])
{
    char raw[64];
    snprintf(raw, sizeof raw, "%.*g", digits, value);
    char *to = text;
    for (const char *from = raw; *from != '\0'; from++) {
        if (strchr("0123456789+-e", *from) != NULL) {
            *to++ = *from;
        } else if (to == text || to[-1] != '.') { /* a point of several bytes is one */
            *to++ = '.';
        }
    }
    *to = '\0';
}

/* The fewest digits, from 15 to 17, that name the number. */
static void real_text(double value, char text[WEFT_FIELD_SIZE])
{
    if (!isfinite(value)) {
        snprintf(text, WEFT_FIELD_SIZE, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        double back = 0;
        print_digits(value, digits, text);
        if (weft_number_double(text, strlen(text), &back) == WEFT_NUMBER_OK &&
            memcmp(&back, &value, sizeof back) == 0) {
            return;
        }
    }
}

static bool read_real(const char *text, double *out)
{
    if (strcmp(text, "nan") == 0) {
        *out = (double)NAN;
    } else if (strcmp(text, "inf") == 0 || strcmp(text, "-inf") == 0) {
        *out = *text == '-' ? -HUGE_VAL : HUGE_VAL;
    } else {
        return weft_number_double(text, strlen(text), out) == WEFT_NUMBER_OK;
    }
    return true;
}

/* A number from 0 without sign or blanks. */
static bool read_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    for (const char *c = text; *c != '\0'; c++) {
        uint64_t digit = (uint64_t)(*c - '0');
        if (*c < '0' || *c > '9' || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = 10 * value + digit;
    }
    *out = value;
    return *text != '\0';
}

static bool read_name(const struct weft_field *field, const char *text, uint64_t *out)
{
    for (size_t i = 0; i < field->n_names; i++) {
        if (strcmp(text, field->name(i)) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

void weft_field_text(const struct weft_field *field, const void *object, char text[WEFT_FIELD_SIZE])
{
    const void *at = (const char *)object + field->offset;
    switch (field->type) {
    case WEFT_FIELD_COUNT:
        snprintf(text, WEFT_FIELD_SIZE, "%zu", *(const size_t *)at);
        break;
    case WEFT_FIELD_U64:
        snprintf(text, WEFT_FIELD_SIZE, "%" PRIu64, *(const uint64_t *)at);
        break;
    case WEFT_FIELD_REAL:
        real_text(*(const double *)at, text);
        break;
    case WEFT_FIELD_FLAG:
        snprintf(text, WEFT_FIELD_SIZE, "%d", *(const bool *)at);
        break;
    case WEFT_FIELD_NAME:
        snprintf(text, WEFT_FIELD_SIZE, "%s", field->name((size_t) * (const unsigned *)at));
        break;
    }
}

bool weft_field_read(const struct weft_field *field, const char *text, void *object)
{
    void *at = (char *)object + field->offset;
    uint64_t number = 0;
    double real = 0;
    bool ok = field->type == WEFT_FIELD_REAL   ? read_real(text, &real)
              : field->type == WEFT_FIELD_NAME ? read_name(field, text, &number)
                                               : read_u64(text, &number);
    if (!ok) {
        return false;
    }
    switch (field->type) {
    case WEFT_FIELD_COUNT:
        *(size_t *)at = (size_t)number;
        return number <= SIZE_MAX;
    case WEFT_FIELD_U64:
        *(uint64_t *)at = number;
        return true;
    case WEFT_FIELD_REAL:
        *(double *)at = real;
        return true;
    case WEFT_FIELD_FLAG:
        *(bool *)at = number == 1;
        return number <= 1;
    case WEFT_FIELD_NAME:
        *(unsigned *)at = (unsigned)number;
        return true;
    }
    return false;
}
