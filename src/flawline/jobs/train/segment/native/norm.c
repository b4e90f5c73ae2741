/* Batch norms in bf16 that also add a map and rectify, forwards and backwards (fused_norm.py).

   A map is a table of rows (pixels) and channels, one row after the other. On a CPU all of this waits for memory, so what
   counts is how often a map is read or written: 3 times forwards (PyTorch's norm and ReLU: 5), 5 times backwards (8).

   Sums are taken over pieces of a map whose borders depend on its size alone, and added up in their order: the result
   does not depend on how many threads there are. */
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* To be counted up with every change of what is declared here; compiled.py uses no other number than its own. */
#define FLAWLINE_INTERFACE 1
#ifndef FLAWLINE_SOURCES
#define FLAWLINE_SOURCES ""
#endif

#if defined(_WIN32)
#define FLAWLINE_PUBLIC __declspec(dllexport)
#else
#define FLAWLINE_PUBLIC __attribute__((visibility("default")))
#endif

/* Whoever computes in bf16 on x86 has AVX-512; fused_norm.py asks for it. */
#if defined(__x86_64__) && defined(__clang__)
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#elif defined(__x86_64__) && defined(__GNUC__)
#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,prefer-vector-width=512")))
#else
#define WIDE
#endif

typedef uint16_t bf16;

/* What an OpenMP runtime starts its threads with. PyTorch's own is handed in: a second pool of threads beside it would
   fight for the cores. */
typedef void (*parallel)(void (*function)(void *), void *data, unsigned threads, unsigned flags);

/* Maps of rows x channels, NULL where not used, and values per channel. What comes out is clipped to low ... high. */
typedef struct {
    const bf16 *x, *beside;     /* what is normed, and what is added to it */
    const bf16 *out, *gradient; /* backwards: what came out where something was added, and its gradient */
    bf16 *made;                 /* forwards what comes out, backwards the gradient of x */
    bf16 *of_beside;            /* backwards: the gradient of what was added, where something was clipped */
    const float *weight, *bias;
    float *running_mean, *running_variance;
    float *mean, *inverse;      /* of the batch: its mean, and 1 / its standard deviation */
    float *of_weight, *of_bias;
    int64_t rows, channels;
    float low, high, momentum, epsilon;
} norm;

enum { SUMS, FORWARDS, GRADIENT_SUMS, BACKWARDS };

/* Values per channel, repeated until a row of them is long enough for the processor: maps may have few channels. */
typedef struct {
    float *scale, *shift;   /* of x, forwards */
    float *along, *offset;  /* what is added to the gradient: along * x + offset */
    float *centre;          /* subtracted from x in sums, so that squares of large means do not swallow what is sought */
} factors;

typedef struct {
    const norm *given;
    float *memory;
    factors by;
    float *sums; /* pieces x 2 x width */
    double *total;
    int64_t width, piece, pieces; /* values in a row of factors, and in a piece of the map; pieces in the map */
    int stage;
    atomic_llong next;
} job;

#define SHORTEST_ROW 512
#define PIECE 65536

static inline float widened(bf16 value)
{
    uint32_t bits = (uint32_t)value << 16;
    float found;
    memcpy(&found, &bits, sizeof found);
    return found;
}

/* To the nearest, ties to even. */
static inline bf16 narrowed(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (bf16)(value != value ? 0x7fc0 : rounded);
}

static inline float clipped(float value, float low, float high)
{
    value = value < low ? low : value;
    return value > high ? high : value;
}

WIDE static void add_up(const bf16 *restrict x, const float *restrict centre, float *restrict sum,
                        float *restrict squares, int64_t count)
{
    for (int64_t k = 0; k < count; k++) {
        float value = widened(x[k]) - centre[k];
        sum[k] += value;
        squares[k] += value * value;
    }
}

WIDE static void normed(const bf16 *restrict x, factors by, bf16 *restrict made, int64_t count, float low, float high)
{
    const float *restrict scale = by.scale, *restrict shift = by.shift;
    for (int64_t k = 0; k < count; k++)
        made[k] = narrowed(clipped(scale[k] * widened(x[k]) + shift[k], low, high));
}

WIDE static void normed_beside(const bf16 *restrict x, const bf16 *restrict beside, factors by, bf16 *restrict made,
                               int64_t count, float low, float high)
{
    const float *restrict scale = by.scale, *restrict shift = by.shift;
    for (int64_t k = 0; k < count; k++) {
        float value = scale[k] * widened(x[k]) + shift[k] + widened(beside[k]);
        made[k] = narrowed(clipped(value, low, high));
    }
}

WIDE static void add_up_gradient(const bf16 *restrict x, const bf16 *restrict gradient, const float *restrict centre,
                                 float *restrict sum, float *restrict product, int64_t count)
{
    for (int64_t k = 0; k < count; k++) {
        float change = widened(gradient[k]);
        sum[k] += change;
        product[k] += change * (widened(x[k]) - centre[k]);
    }
}

/* The same of a gradient that passes only where nothing was clipped: computed once more here and in `backwards_clipped`,
   which is faster than to read what came out. */
WIDE static void add_up_clipped(const bf16 *restrict x, const bf16 *restrict gradient, factors by, float *restrict sum,
                                float *restrict product, int64_t count, float low, float high)
{
    const float *restrict scale = by.scale, *restrict shift = by.shift, *restrict centre = by.centre;
    for (int64_t k = 0; k < count; k++) {
        float value = widened(x[k]), came = scale[k] * value + shift[k];
        float change = (came > low) & (came < high) ? widened(gradient[k]) : 0.0f;
        sum[k] += change;
        product[k] += change * (value - centre[k]);
    }
}

/* And where something was added: by what came out. The gradient that passes is kept for what was added. */
WIDE static void add_up_beside(const bf16 *restrict x, const bf16 *restrict gradient, const bf16 *restrict out,
                               const float *restrict centre, bf16 *restrict passed, float *restrict sum,
                               float *restrict product, int64_t count, float low, float high)
{
    for (int64_t k = 0; k < count; k++) {
        float came = widened(out[k]);
        bf16 change = (bf16)((came > low) & (came < high) ? gradient[k] : 0);
        passed[k] = change;
        sum[k] += widened(change);
        product[k] += widened(change) * (widened(x[k]) - centre[k]);
    }
}

WIDE static void backwards(const bf16 *restrict x, const bf16 *restrict gradient, factors by, bf16 *restrict made,
                           int64_t count)
{
    const float *restrict scale = by.scale, *restrict along = by.along, *restrict offset = by.offset;
    for (int64_t k = 0; k < count; k++)
        made[k] = narrowed(scale[k] * widened(gradient[k]) + along[k] * widened(x[k]) + offset[k]);
}

WIDE static void backwards_clipped(const bf16 *restrict x, const bf16 *restrict gradient, factors by,
                                   bf16 *restrict made, int64_t count, float low, float high)
{
    const float *restrict scale = by.scale, *restrict shift = by.shift;
    const float *restrict along = by.along, *restrict offset = by.offset;
    for (int64_t k = 0; k < count; k++) {
        float value = widened(x[k]), came = scale[k] * value + shift[k];
        float change = (came > low) & (came < high) ? widened(gradient[k]) : 0.0f;
        made[k] = narrowed(scale[k] * change + along[k] * value + offset[k]);
    }
}

static bool clips(const norm *given) { return given->low > -INFINITY || given->high < INFINITY; }

static void run_row(const job *now, int64_t at, int64_t count, float *sum, float *other)
{
    const norm *n = now->given;
    const bf16 *x = n->x + at;
    switch (now->stage) {
    case SUMS:
        add_up(x, now->by.centre, sum, other, count);
        break;
    case FORWARDS:
        if (n->beside)
            normed_beside(x, n->beside + at, now->by, n->made + at, count, n->low, n->high);
        else
            normed(x, now->by, n->made + at, count, n->low, n->high);
        break;
    case GRADIENT_SUMS:
        if (!clips(n))
            add_up_gradient(x, n->gradient + at, now->by.centre, sum, other, count);
        else if (n->out)
            add_up_beside(x, n->gradient + at, n->out + at, now->by.centre, n->of_beside + at, sum, other, count,
                          n->low, n->high);
        else
            add_up_clipped(x, n->gradient + at, now->by, sum, other, count, n->low, n->high);
        break;
    case BACKWARDS:
        if (clips(n) && !n->out)
            backwards_clipped(x, n->gradient + at, now->by, n->made + at, count, n->low, n->high);
        else
            backwards(x, (n->out ? n->of_beside : n->gradient) + at, now->by, n->made + at, count);
    }
}

/* What each thread does: one piece after the other, as long as there are any. */
static void work(void *data)
{
    job *now = data;
    int64_t end = now->given->rows * now->given->channels, width = now->width, number;
    while ((number = atomic_fetch_add(&now->next, 1)) < now->pieces) {
        float *sum = now->sums + number * 2 * width;
        int64_t from = number * now->piece, to = from + now->piece < end ? from + now->piece : end;
        if (now->stage == SUMS || now->stage == GRADIENT_SUMS)
            memset(sum, 0, 2 * width * sizeof *sum);
        for (int64_t at = from; at < to; at += width)
            run_row(now, at, to - at < width ? to - at : width, sum, sum + width);
    }
}

static void run(job *now, int stage, parallel start, unsigned threads)
{
    now->stage = stage;
    atomic_store(&now->next, 0);
    if (threads > 1 && now->pieces > 1)
        start(work, now, threads, 0);
    else
        work(now);
}

static void let_go(job *now)
{
    free(now->memory);
    free(now->sums);
    free(now->total);
}

static bool begin(job *now, const norm *given)
{
    int64_t channels = given->channels, all = given->rows * channels;
    int64_t times = (SHORTEST_ROW + channels - 1) / channels;
    memset(now, 0, sizeof *now);
    now->given = given;
    now->width = (times < given->rows ? times : given->rows) * channels;
    now->piece = (PIECE + now->width - 1) / now->width * now->width;
    now->pieces = (all + now->piece - 1) / now->piece;
    now->memory = malloc(5 * now->width * sizeof *now->memory);
    now->sums = malloc(now->pieces * 2 * now->width * sizeof *now->sums);
    now->total = malloc(2 * channels * sizeof *now->total);
    if (!now->memory || !now->sums || !now->total) {
        let_go(now);
        return false;
    }
    float **each[] = {&now->by.scale, &now->by.shift, &now->by.along, &now->by.offset, &now->by.centre};
    for (int k = 0; k < 5; k++)
        *each[k] = now->memory + k * now->width;
    return true;
}

/* Repeat the values of the channels along a row of factors. */
static void repeat(const job *now, float *row)
{
    for (int64_t k = now->given->channels; k < now->width; k++)
        row[k] = row[k - now->given->channels];
}

/* The two sums of each channel over all pieces. */
static void sum_pieces(job *now)
{
    int64_t channels = now->given->channels;
    double *sum = now->total, *other = sum + channels;
    memset(sum, 0, 2 * channels * sizeof *sum);
    for (int64_t number = 0; number < now->pieces; number++) {
        const float *some = now->sums + number * 2 * now->width, *others = some + now->width;
        for (int64_t at = 0; at < now->width; at += channels)
            for (int64_t c = 0; c < channels; c++) {
                sum[c] += some[at + c];
                other[c] += others[at + c];
            }
    }
}

static void set_scale(const job *now)
{
    const norm *n = now->given;
    for (int64_t c = 0; c < n->channels; c++) {
        now->by.scale[c] = n->weight[c] * n->inverse[c];
        now->by.shift[c] = n->bias[c] - n->mean[c] * now->by.scale[c];
    }
    repeat(now, now->by.scale);
    repeat(now, now->by.shift);
}

/* What a norm gives in training. The running statistics move towards those of the batch; 0 where memory runs out. */
FLAWLINE_PUBLIC int flawline_norm(const norm *n, parallel start, unsigned threads)
{
    job now;
    if (!begin(&now, n))
        return 0;
    for (int64_t c = 0; c < n->channels; c++)
        now.by.centre[c] = widened(n->x[c]);
    repeat(&now, now.by.centre);
    run(&now, SUMS, start, threads);
    sum_pieces(&now);
    for (int64_t c = 0; c < n->channels; c++) {
        double away = now.total[c] / n->rows;
        double variance = now.total[n->channels + c] / n->rows - away * away;
        double mean = away + now.by.centre[c];
        variance = variance < 0 ? 0 : variance;
        n->mean[c] = (float)mean;
        n->inverse[c] = (float)(1 / sqrt(variance + n->epsilon));
        double unbiased = variance * n->rows / (n->rows - 1);
        n->running_mean[c] += n->momentum * ((float)mean - n->running_mean[c]);
        n->running_variance[c] += n->momentum * ((float)unbiased - n->running_variance[c]);
    }
    set_scale(&now);
    run(&now, FORWARDS, start, threads);
    let_go(&now);
    return 1;
}

/* The gradients of what `flawline_norm` was given: S. Ioffe and C. Szegedy, "Batch Normalization: Accelerating Deep
   Network Training by Reducing Internal Covariate Shift", ICML 2015, section 3, solved for the gradient of x. */
FLAWLINE_PUBLIC int flawline_norm_gradients(const norm *n, parallel start, unsigned threads)
{
    job now;
    if (!begin(&now, n))
        return 0;
    memcpy(now.by.centre, n->mean, n->channels * sizeof *n->mean);
    repeat(&now, now.by.centre);
    set_scale(&now);
    run(&now, GRADIENT_SUMS, start, threads);
    sum_pieces(&now);
    for (int64_t c = 0; c < n->channels; c++) {
        double sum = now.total[c], of_weight = now.total[n->channels + c] * n->inverse[c];
        double along = -(double)now.by.scale[c] * n->inverse[c] * of_weight / n->rows;
        n->of_bias[c] = (float)sum;
        n->of_weight[c] = (float)of_weight;
        now.by.along[c] = (float)along;
        now.by.offset[c] = (float)(-now.by.scale[c] * sum / n->rows - along * n->mean[c]);
    }
    repeat(&now, now.by.along);
    repeat(&now, now.by.offset);
    run(&now, BACKWARDS, start, threads);
    let_go(&now);
    return 1;
}

FLAWLINE_PUBLIC int64_t flawline_interface(void) { return FLAWLINE_INTERFACE; }

FLAWLINE_PUBLIC const char *flawline_sources(void) { return FLAWLINE_SOURCES; }
