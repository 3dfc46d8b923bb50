/* pngq FILE [X Y]...: prints the width and height of a PNG file, then the colour (red green blue)
 * at each place. Fails where libpng cannot read all of it; so that shell tests can look into
 * pictures. */
#include <stdio.h>
#include <stdlib.h>

#include <png.h>

int main(int argc, char **argv)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (argc < 2 || argc % 2 != 0 || !png_image_begin_read_from_file(&image, argv[1])) {
        fprintf(stderr, "pngq: %s\n", argc < 2 ? "wanted a file" : image.message);
        return 1;
    }
    image.format = PNG_FORMAT_RGB;
    unsigned char *rgb = malloc(PNG_IMAGE_SIZE(image));
    if (rgb == NULL || !png_image_finish_read(&image, NULL, rgb, 0, NULL)) {
        fprintf(stderr, "pngq: %s: %s\n", argv[1], image.message);
        free(rgb);
        return 1;
    }
    printf("%u %u\n", image.width, image.height);
    int failed = 0;
    for (int i = 2; i + 1 < argc; i += 2) {
        size_t x = strtoul(argv[i], NULL, 10), y = strtoul(argv[i + 1], NULL, 10);
        if (x >= image.width || y >= image.height) {
            fprintf(stderr, "pngq: %zu %zu lies outside\n", x, y);
            failed = 1;
            continue;
        }
        const unsigned char *pixel = rgb + 3 * (y * image.width + x);
        printf("%d %d %d\n", pixel[0], pixel[1], pixel[2]);
    }
    free(rgb);
    return failed;
}
