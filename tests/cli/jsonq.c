/* jsonq [PATH]...: reads lines of JSON objects from stdin and prints what each has at the paths,
 * such as "test.loss" or "classes.0.name". Fails where a line is no object, has a key twice, or
 * lacks a path; so that shell tests can look into JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const json_t *at(const json_t *value, const char *path)
{
    char copy[256], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *key = strtok_r(copy, ".", &rest); key != NULL; key = strtok_r(NULL, ".", &rest)) {
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
    }
    return value;
}

static int print(const json_t *line, const char *path, size_t number)
{
    const json_t *value = at(line, path);
    if (value == NULL) {
        fprintf(stderr, "jsonq: line %zu: nothing at '%s'\n", number, path);
        return 1;
    }
    if (json_is_string(value)) {
        puts(json_string_value(value));
        return 0;
    }
    json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    putchar('\n');
    return 0;
}

int main(int argc, char **argv)
{
    char *line = NULL;
    size_t size = 0, number = 0;
    int failed = 0;
    while (getline(&line, &size, stdin) > 0) {
        json_error_t why;
        json_t *value = json_loads(line, JSON_REJECT_DUPLICATES, &why);
        number++;
        if (!json_is_object(value)) {
            fprintf(stderr, "jsonq: line %zu: %s\n", number,
                    value == NULL ? why.text : "no object");
            failed = 1;
        }
        for (int i = 1; i < argc && value != NULL; i++) {
            failed |= print(value, argv[i], number);
        }
        json_decref(value);
    }
    free(line);
    if (number == 0) {
        fprintf(stderr, "jsonq: no line\n");
    }
    return failed || number == 0;
}
