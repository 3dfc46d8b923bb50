/* xmlq FILE: whether a file is well-formed XML, see xml_check.h; says on stderr why not. */
#include <stdio.h>

#include "xml_check.h"

int main(int argc, char **argv)
{
    static char text[1 << 20], why[200];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "xmlq: wanted one file that can be read\n");
        return 1;
    }
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    if (n == sizeof text - 1 || !xml_check(text, why, sizeof why)) {
        fprintf(stderr, "xmlq: %s: %s\n", argv[1], n == sizeof text - 1 ? "too large" : why);
        return 1;
    }
    return 0;
}
