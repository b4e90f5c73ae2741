/* Smallest rectangles around hulls, as hull.smallest_rectangles has them: H. Freeman and R. Shapira, CACM 18, 1975. */
#include <math.h>

#include "hull.h"

static const double PI = 3.141592653589793238462643383279502884;
static const double SAME_DIRECTION = 1e-9;

typedef struct {
    double x, y, length, width, angle;
    double area, longer; /* rounded: equal areas are common on a grid of pixels */
} rectangle;

/* An angle between -1 and 2 whole turns as one between 0 and 1. */
static double within(double angle, double turn)
{
    if (angle < 0)
        return angle + turn;
    return angle < turn ? angle : angle - turn;
}

static point side_of(const hull *of, int32_t k)
{
    const point *a = (const point *)of->corners.at + k, *b = corner_after(of, k);
    point side = {b->x - a->x, b->y - a->y};
    if (!side.x && !side.y)
        side.x = 1; /* a single pixel */
    return side;
}

/* How far each side is turned from the first one. */
static bool turn_sides(hull *of)
{
    if (!reserve(&of->turned, (size_t)of->count, sizeof(double)))
        return false;
    double *turned = of->turned.at, first = 0;
    for (int32_t k = 0; k < of->count; k++) {
        point side = side_of(of, k);
        double direction = atan2((double)side.y, (double)side.x);
        if (!k)
            first = direction;
        turned[k] = within(first - direction, 2 * PI);
        /* Rounding must not put the first side behind the last one. */
        if (turned[k] > 2 * PI - SAME_DIRECTION)
            turned[k] = 0;
    }
    return true;
}

/* The corner farthest out, `quarters` of a turn on from side k: where the sides have turned that far. `*at` is that of
 * the side before, from where it goes on round the hull. */
static const point *support(const hull *of, int32_t k, int quarters, int32_t *at)
{
    const double *turned = of->turned.at;
    double wanted = within(turned[k] + quarters * PI / 2, 2 * PI) - SAME_DIRECTION;
    if (*at > 0 && turned[*at - 1] >= wanted)
        *at = 0;
    while (*at < of->count && turned[*at] < wanted)
        ++*at;
    return (const point *)of->corners.at + (*at < of->count ? *at : 0);
}

static double along(const point *at, double cos, double sin) { return (double)at->x * cos + (double)at->y * sin; }
static double across(const point *at, double cos, double sin) { return (double)at->y * cos - (double)at->x * sin; }
static double rounded(double value, double grain) { return rint(value * grain) / grain; }

/* The rectangle along side k, where it is smaller than `best`, longer or turned less; `at` are the corners before. */
static void try_side(const hull *of, int32_t k, int32_t at[3], rectangle *best)
{
    const point *corner = (const point *)of->corners.at + k;
    point side = side_of(of, k);
    double size = sqrt((double)(side.x * side.x + side.y * side.y)), cos = (double)side.x / size, sin = (double)side.y / size;
    const point *ahead = support(of, k, 1, at), *opposite = support(of, k, 2, at + 1), *behind = support(of, k, 3, at + 2);
    double back = along(behind, cos, sin), front = along(ahead, cos, sin);
    double near = across(corner, cos, sin), far = across(opposite, cos, sin);
    double apart = (double)common_divisor(side.x, side.y) / size;
    double length = fabs(front - back) + apart, width = fabs(far - near) + apart;
    rectangle tried = {.length = length > width ? length : width, .width = length > width ? width : length};
    tried.area = rounded(length * width, 1e6);
    tried.longer = rounded(tried.length, 1e6);
    if (tried.area > best->area || (tried.area == best->area && tried.longer < best->longer))
        return;
    double angle = atan2(sin, cos) * (180 / PI) + (width > length + 1e-9 ? 90 : 0);
    tried.angle = within(rounded(within(angle, 180), 1e9), 180);
    if (tried.area == best->area && tried.longer == best->longer && tried.angle >= best->angle)
        return;
    double middle = (back + front) / 2, off = (near + far) / 2;
    tried.x = middle * cos - off * sin + 0.5;
    tried.y = middle * sin + off * cos + 0.5;
    *best = tried;
}

bool smallest_rectangle(hull *of, double *row)
{
    if (!turn_sides(of))
        return false;
    rectangle best = {.area = INFINITY};
    int32_t at[3] = {0, 0, 0};
    for (int32_t k = 0; k < of->count; k++)
        try_side(of, k, at, &best);
    row[RECTANGLE_X] = best.x;
    row[RECTANGLE_Y] = best.y;
    row[RECTANGLE_LENGTH] = best.length;
    row[RECTANGLE_WIDTH] = best.width;
    row[RECTANGLE_ANGLE] = best.angle;
    return true;
}
