/* A program that includes an exported network: reads images of bytes as an IDX file holds them, and
 * what `weft predict --proba` says of them, and compares.
 * usage: c_user IMAGES PREDICTIONS.csv     or, without arguments: prints the names of the classes
 * Built with -DHEADER='"name.h"' -DNAME=name. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HEADER
#include HEADER
#else /* for tools that read this file alone */
#define NAME any
enum { any_n_inputs = 2, any_n_outputs = 2 };
int any_predict(const float *x, float *y);
const char *any_name(int index);
#endif

#define JOIN(a, b) a##b
#define GLUE(a, b) JOIN(a, b)
#define PREDICT GLUE(NAME, _predict)
#define CLASS_NAME GLUE(NAME, _name)
enum { N_INPUTS = GLUE(NAME, _n_inputs), N_OUTPUTS = GLUE(NAME, _n_outputs) };

static void fail(const char *what)
{
    printf("FAILED: %s\n", what);
    exit(1);
}

/* Compares one sample with a line of the table "name,p,p,..."; returns the largest difference. */
static double compare(const float *x, char *line)
{
    float y[N_OUTPUTS];
    double worst = 0;
    int i, index = PREDICT(x, y);
    char *cell = strtok(line, ",\n");
    if (cell == NULL || strcmp(cell, CLASS_NAME(index)) != 0) {
        fail("another class");
    }
    for (i = 0; i < N_OUTPUTS; i++) {
        double difference;
        cell = strtok(NULL, ",\n");
        if (cell == NULL) {
            fail("too few columns");
        }
        difference = fabs((double)y[i] - strtod(cell, NULL));
        if (!(difference <= 1e-6)) {
            printf("got %.9g, wanted %s\n", (double)y[i], cell);
            fail("another probability");
        }
        worst = difference > worst ? difference : worst;
    }
    return worst;
}

int main(int argc, char **argv)
{
    static unsigned char bytes[N_INPUTS];
    static float x[N_INPUTS];
    static char line[4096];
    double worst = 0;
    int n = 0, i;
    FILE *images, *table;
    if (argc < 3) {
        for (i = 0; i < N_OUTPUTS; i++) {
            puts(CLASS_NAME(i));
        }
        return 0;
    }
    images = fopen(argv[1], "rb");
    table = fopen(argv[2], "r");
    if (images == NULL || table == NULL || fseek(images, 16, SEEK_SET) != 0 ||
        fgets(line, sizeof line, table) == NULL) {
        fail("cannot read");
    }
    while (fgets(line, sizeof line, table) != NULL) {
        if (fread(bytes, 1, sizeof bytes, images) != sizeof bytes) {
            fail("fewer images than predictions");
        }
        for (i = 0; i < N_INPUTS; i++) {
            x[i] = (float)bytes[i];
        }
        {
            double difference = compare(x, line);
            worst = difference > worst ? difference : worst;
        }
        n++;
    }
    printf("%d %.3g\n", n, worst);
    return 0;
}
