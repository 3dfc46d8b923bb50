/* A program of someone who installed weft: prints the version of the library it runs with, after
 * using enough of it to need what the library itself links. */
#include <stdio.h>

#include <weft/weft.h>

int main(void)
{
    weft_context *context;
    weft_net *net;
    weft_dataset *data;
    weft_error err;
    const weft_net_options shape = {.n_inputs = 3, .n_outputs = 1, .output = WEFT_OUTPUT_SIGMOID};
    float x[3] = {1, 2, 3}, y;
    weft_tensor in = weft_tensor_borrow(WEFT_F32, x, 1, 3, 3);
    weft_tensor out = weft_tensor_borrow(WEFT_F32, &y, 1, 1, 1);
    if (weft_context_new(NULL, &context, &err) != WEFT_OK ||
        weft_net_new(&shape, &net, &err) != WEFT_OK ||
        weft_net_forward(context, net, &in, &out, &err) != WEFT_OK ||
        weft_model_load("/dev/null", NULL, &net, &err) == WEFT_OK ||
        weft_dataset_load("/dev/null", NULL, &data, &err) == WEFT_OK) {
        puts("failed");
        return 1;
    }
    weft_net_free(net);
    weft_context_free(context);
    puts(weft_version());
    return 0;
}
