/* Batch and layer normalisation (formulas: include/weft/norm.h; their gradients: Ioffe & Szegedy
 * 2015, section 3). Part of elementwise_template.h. Sums are of double, along columns in the order
 * of rows, along a row in lanes as those of softmax: the same bits in every set. */

/* Sums of so many columns are kept in registers. */
enum { COLUMN_LANES = 16 };

static void WEFT_SET(column_moments)(size_t rows, size_t cols, const float *z, size_t z_rs,
                                     float *mean, float *var)
{
    for (size_t j0 = 0; j0 < cols; j0 += COLUMN_LANES) {
        size_t n = cols - j0 < COLUMN_LANES ? cols - j0 : COLUMN_LANES;
        double sums[COLUMN_LANES] = {0}, squares[COLUMN_LANES] = {0}, means[COLUMN_LANES] = {0};
        for (size_t i = 0; i < rows; i++) {
            const float *zi = z + i * z_rs + j0;
#pragma omp simd
            for (size_t l = 0; l < n; l++) {
                sums[l] += (double)zi[l];
            }
        }
        for (size_t l = 0; l < n; l++) {
            means[l] = sums[l] / (double)rows;
        }
        for (size_t i = 0; i < rows; i++) {
            const float *zi = z + i * z_rs + j0;
#pragma omp simd
            for (size_t l = 0; l < n; l++) {
                double d = (double)zi[l] - means[l];
                squares[l] += d * d;
            }
        }
        for (size_t l = 0; l < n; l++) {
            mean[j0 + l] = (float)means[l];
            var[j0 + l] = (float)(squares[l] / (double)rows);
        }
    }
}

static void WEFT_SET(column_products)(size_t rows, size_t cols, const float *d, size_t d_rs,
                                      const float *x, size_t x_rs, float *sum_d, float *sum_dx)
{
    for (size_t j0 = 0; j0 < cols; j0 += COLUMN_LANES) {
        size_t n = cols - j0 < COLUMN_LANES ? cols - j0 : COLUMN_LANES;
        double sums[COLUMN_LANES] = {0}, products[COLUMN_LANES] = {0};
        for (size_t i = 0; i < rows; i++) {
            const float *di = d + i * d_rs + j0, *xi = x + i * x_rs + j0;
#pragma omp simd
            for (size_t l = 0; l < n; l++) {
                sums[l] += (double)di[l];
                products[l] += (double)di[l] * (double)xi[l];
            }
        }
        for (size_t l = 0; l < n; l++) {
            sum_d[j0 + l] = (float)sums[l];
            sum_dx[j0 + l] = (float)products[l];
        }
    }
}

static void WEFT_SET(normalise_columns)(size_t rows, size_t cols, float *z, size_t z_rs,
                                        const float *mean, const float *inverse, const float *gamma,
                                        const float *beta, float *y, size_t y_rs)
{
    for (size_t i = 0; i < rows; i++) {
        float *zi = z + i * z_rs, *yi = y + i * y_rs;
#pragma omp simd
        for (size_t j = 0; j < cols; j++) {
            float n = (zi[j] - mean[j]) * inverse[j];
            zi[j] = n;
            yi[j] = gamma[j] * n + beta[j];
        }
    }
}

static void WEFT_SET(normalise_columns_gradient)(size_t rows, size_t cols, float *d, size_t d_rs,
                                                 const float *x, size_t x_rs, const float *scale,
                                                 const float *mean_d, const float *mean_dx)
{
    for (size_t i = 0; i < rows; i++) {
        float *di = d + i * d_rs;
        const float *xi = x + i * x_rs;
#pragma omp simd
        for (size_t j = 0; j < cols; j++) {
            di[j] = scale[j] * (di[j] - mean_d[j] - xi[j] * mean_dx[j]);
        }
    }
}

/* The lanes of a sum over a row added up. */
static inline double sum_of_lanes(const double *lanes)
{
    double sum = 0;
    for (size_t l = 0; l < SOFTMAX_LANES; l++) {
        sum += lanes[l];
    }
    return sum;
}

static float WEFT_SET(normalise_row)(size_t n, float epsilon, float *z, const float *gamma,
                                     const float *beta, float *y)
{
    double sums[SOFTMAX_LANES] = {0}, squares[SOFTMAX_LANES] = {0};
    for (size_t j = 0; j < n; j += SOFTMAX_LANES) {
        size_t here = n - j < SOFTMAX_LANES ? n - j : SOFTMAX_LANES;
#pragma omp simd
        for (size_t l = 0; l < here; l++) {
            sums[l] += (double)z[j + l];
        }
    }
    double mean = sum_of_lanes(sums) / (double)n;
    for (size_t j = 0; j < n; j += SOFTMAX_LANES) {
        size_t here = n - j < SOFTMAX_LANES ? n - j : SOFTMAX_LANES;
#pragma omp simd
        for (size_t l = 0; l < here; l++) {
            double d = (double)z[j + l] - mean;
            squares[l] += d * d;
        }
    }
    float shift = (float)mean;
    float inverse = (float)(1 / sqrt(sum_of_lanes(squares) / (double)n + (double)epsilon));
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        float x = (z[j] - shift) * inverse;
        z[j] = x;
        y[j] = gamma[j] * x + beta[j];
    }
    return inverse;
}

static void WEFT_SET(normalise_row_gradient)(size_t n, float inverse, const float *gamma,
                                             const float *x, float *d)
{
    double sums[SOFTMAX_LANES] = {0}, products[SOFTMAX_LANES] = {0};
    for (size_t j = 0; j < n; j += SOFTMAX_LANES) {
        size_t here = n - j < SOFTMAX_LANES ? n - j : SOFTMAX_LANES;
#pragma omp simd
        for (size_t l = 0; l < here; l++) {
            double g = (double)d[j + l] * (double)gamma[j + l];
            sums[l] += g;
            products[l] += g * (double)x[j + l];
        }
    }
    float mean_g = (float)(sum_of_lanes(sums) / (double)n);
    float mean_gx = (float)(sum_of_lanes(products) / (double)n);
#pragma omp simd
    for (size_t j = 0; j < n; j++) {
        d[j] = inverse * (gamma[j] * d[j] - mean_g - x[j] * mean_gx);
    }
}
