/* The file may have been edited, cut off or handed over by somebody: what it says goes into
 * requests and file names, so that all of it is checked here. */
#include "track/track_state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/safefile.h"
#include "track/track.h"

static const char hex[] = "0123456789abcdef";

static bool is_text(const json_t *value)
{
    return json_string_length(value) > 0;
}

/* Printable ASCII without blanks, as addresses and the identifiers of a server are. */
bool weft_state_is_id(const json_t *value)
{
    const char *c = json_string_value(value);
    if (c == NULL || *c == '\0' || json_string_length(value) > 2000) {
        return false;
    }
    while (*c > ' ' && *c <= '~') {
        c++;
    }
    return *c == '\0';
}

static bool is_key(const json_t *value)
{
    return json_string_length(value) == 32 && strspn(json_string_value(value), hex) == 32;
}

static bool is_count(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static bool is_flag(const json_t *value)
{
    return json_is_boolean(value);
}

static bool is_end(const json_t *value)
{
    const char *text = json_string_value(value);
    return text != NULL && (strcmp(text, "FINISHED") == 0 || strcmp(text, "FAILED") == 0 ||
                            strcmp(text, "KILLED") == 0);
}

/* Relative, and not out of the run directory. */
static bool is_file(const json_t *value)
{
    const char *part = json_string_value(value);
    if (!is_text(value) || *part == '/') {
        return false;
    }
    while (part != NULL) {
        size_t len = strcspn(part, "/");
        if (len == 2 && strncmp(part, "..", 2) == 0) {
            return false;
        }
        part = part[len] == '/' ? part + len + 1 : NULL;
    }
    return true;
}

static bool are_files(const json_t *value)
{
    bool good = json_is_array(value);
    for (size_t i = 0; good && i < json_array_size(value); i++) {
        good = is_file(json_array_get(value, i));
    }
    return good;
}

static const struct item {
    const char *key;
    bool (*is_good)(const json_t *value);
    bool required;
} items[] = {
    {"uri", weft_state_is_id, true},
    {"experiment", is_text, true},
    {"run_name", is_text, true},
    {"key", is_key, true},
    {"start_time", is_count, true},
    {"sent", is_count, true},
    {"asked", is_flag, false},
    {"resumed", is_flag, false},
    {"experiment_id", weft_state_is_id, false},
    {"run_id", weft_state_is_id, false},
    {"artifact_uri", is_text, false},
    {"status", is_end, false},
    {"end_time", is_count, false},
    {"files", are_files, false},
    {"lost", is_count, false},
    {"done", is_flag, false},
};

static weft_status check(const char *path, const json_t *state, weft_error *err)
{
    if (!json_is_object(state)) {
        return weft_fail(err, WEFT_ERR_FORMAT, "%s: wanted what weft wrote; got something else",
                         path);
    }
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        const json_t *value = json_object_get(state, items[i].key);
        if (value == NULL ? items[i].required : !items[i].is_good(value)) {
            return weft_fail(err, WEFT_ERR_FORMAT, "%s: wanted what weft wrote; got %s '%s'", path,
                             value == NULL ? "no" : "another", items[i].key);
        }
    }
    return WEFT_OK;
}

weft_status weft_state_read(const char *path, json_t **out, weft_error *err)
{
    FILE *stream = fopen(path, "rbe");
    if (stream == NULL) {
        return weft_fail_errno(err, errno, "%s: wanted the directory of a run that was tracked",
                               path);
    }
    json_error_t why = {0};
    json_t *state = json_loadf(stream, JSON_REJECT_DUPLICATES, &why);
    if (state == NULL) { /* see weft_spool_read() */
        rewind(stream);
        state = json_loadf(stream, JSON_REJECT_DUPLICATES, &why);
    }
    int failed = ferror(stream) != 0 ? errno : 0;
    fclose(stream);
    weft_status status = WEFT_OK;
    if (state == NULL && failed != 0) {
        status = weft_fail_errno(err, failed, "%s: cannot read", path);
    } else if (state == NULL && json_error_code(&why) == json_error_out_of_memory) {
        status = weft_fail_nomem(err, path);
    } else {
        status = check(path, state, err);
    }
    if (status != WEFT_OK) {
        json_decref(state);
        return status;
    }
    *out = state;
    return WEFT_OK;
}

weft_status weft_state_write(const char *path, const json_t *state, weft_error *err)
{
    struct weft_safefile file = {0};
    weft_status status = weft_safefile_open(&file, path, err);
    if (status != WEFT_OK) {
        return status;
    }
    if (json_dumpf(state, file.stream, JSON_INDENT(2)) != 0 && ferror(file.stream) == 0) {
        weft_safefile_abort(&file);
        return weft_fail_nomem(err, path);
    }
    putc('\n', file.stream);
    return weft_safefile_commit(&file, err);
}
