// A program in C++ of someone who installed weft: prints the version of the library it runs with.
#include <cstdio>

#include <weft/weft.h>

int main()
{
    weft_error err{};
    weft_net_options shape{};
    shape.n_inputs = 3;
    shape.n_outputs = 1;
    shape.output = WEFT_OUTPUT_SIGMOID;
    weft_net *net = nullptr;
    if (weft_net_new(&shape, &net, &err) != WEFT_OK || weft_net_n_params(net) != 4 ||
        weft_model_export(net, WEFT_EXPORT_C, "/dev/null", &err) != WEFT_OK) {
        std::puts("failed");
        return 1;
    }
    weft_net_free(net);
    std::puts(weft_version());
}
