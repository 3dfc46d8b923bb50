/* Data sets as callers see them. */
#include <weft/dataset.h>

#include <assert.h>
#include <string.h>

#include "data/dataset_impl.h"
#include "data/png_image.h"
#include "data/streamed.h"

weft_dataset_options weft_dataset_options_default(void)
{
    return (weft_dataset_options){.labels = WEFT_LABELS_AUTO, .split = WEFT_SPLIT_TRAIN};
}

bool weft_has_hdf5(void)
{
#ifdef WEFT_HAVE_HDF5
    return true;
#else
    return false;
#endif
}

size_t weft_dataset_samples(const weft_dataset *data)
{
    return data->extent.samples;
}

size_t weft_dataset_features(const weft_dataset *data)
{
    return data->extent.features;
}

size_t weft_dataset_shape(const weft_dataset *data, size_t dims[4])
{
    memcpy(dims, data->extent.dims, data->extent.n_dims * sizeof *dims);
    return data->extent.n_dims;
}

weft_tensor weft_dataset_x(const weft_dataset *data)
{
    weft_tensor x = data->x;
    x.owned = NULL;
    return x;
}

weft_targets weft_dataset_targets(const weft_dataset *data)
{
    return (weft_targets){.kind = data->kind,
                          .classes = data->classes,
                          .values = data->values,
                          .n_values = data->n_values,
                          .weights = data->weights};
}

bool weft_dataset_is_streamed(const weft_dataset *data)
{
    return data->stream != NULL;
}

bool weft_dataset_can_seek(const weft_dataset *data)
{
    return data->stream == NULL || weft_stream_can_seek(data->stream);
}

bool weft_dataset_is_integer(const weft_dataset *data)
{
    return data->is_integer;
}

size_t weft_dataset_n_classes(const weft_dataset *data)
{
    return data->n_classes;
}

const char *weft_dataset_class_name(const weft_dataset *data, size_t index)
{
    assert(index < data->n_classes);
    return data->class_names[index];
}

const char *weft_dataset_format(const weft_dataset *data)
{
    return data->format;
}

const weft_columns *weft_dataset_columns(const weft_dataset *data)
{
    return data->columns.n == 0 ? NULL : &data->columns;
}

bool weft_has_png(void)
{
    return weft_png_available();
}
