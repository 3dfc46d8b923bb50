/* A program of someone who installed weft: prints the version of the library it runs with. */
#include <stdio.h>

#include <weft/weft.h>

int main(void)
{
    puts(weft_version());
    return 0;
}
