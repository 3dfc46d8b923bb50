/* Edit distance and the choice of a hint. */
#include "cli/suggestion.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST = 63 };

static bool same(char a, char b)
{
    return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

static size_t min2(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t cli_edit_distance(const char *a, const char *b)
{
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > LONGEST || n_b > LONGEST) {
        return SIZE_MAX;
    }
    size_t rows[3][LONGEST + 1]; /* row i of the table is rows[i % 3] */
    for (size_t j = 0; j <= n_b; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= n_a; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t replaced = above[j - 1] + !same(a[i - 1], b[j - 1]);
            row[j] = min2(replaced, min2(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                row[j] = min2(row[j], above2[j - 2] + 1);
            }
        }
    }
    return rows[n_a % 3][n_b];
}

static bool begins_with(const char *name, const char *start)
{
    for (; *start != '\0'; name++, start++) {
        if (!same(*name, *start)) {
            return false;
        }
    }
    return true;
}

void cli_suggestion_offer(struct cli_suggestion *suggestion, const char *name)
{
    size_t len = strlen(suggestion->typed);
    /* A third of the word may be wrong; what is only the start of a name is next to it. */
    size_t limit = len < 3 ? 1 : len / 3;
    size_t distance = cli_edit_distance(suggestion->typed, name);
    if (len >= 2 && begins_with(name, suggestion->typed)) {
        distance = min2(distance, 1);
    }
    if (distance <= limit && (suggestion->best == NULL || distance < suggestion->distance)) {
        suggestion->best = name;
        suggestion->distance = distance;
    }
}
