/* Contours as cv2.findContours gives them with CHAIN_APPROX_SIMPLE: S. Suzuki and K. Abe, "Topological structural
 * analysis of digitized binary images by border following", CVGIP 30, 1985. Start, direction and corners are the same. */
#include "outline.h"

#include <math.h>
#include <string.h>

static const double STRAIGHT = 0.980, DIAGONAL = 1.406, CORNER = -0.091, PI = 3.141592653589793238462643383279502884;
/* Directions go round against the clock as seen, from the east. */
static const int STEP_X[8] = {1, 1, 0, -1, -1, -1, 0, 1}, STEP_Y[8] = {0, -1, -1, -1, 0, 1, 1, 1};

typedef struct {
    const frame *of;
    const uint64_t *bits;
    uint64_t *visited;  /* pixels that a contour runs through */
    uint64_t *east_end; /* pixels whose right neighbour lies outside and was met by a contour */
    outline *into;
} tracing;

static bool neighbour(const tracing *t, int64_t x, int64_t y, int direction)
{
    return bit_at(t->bits, t->of, x + STEP_X[direction], y + STEP_Y[direction]);
}

static bool add_point(const tracing *t, int64_t x, int64_t y)
{
    outline *into = t->into;
    if (!reserve(&into->points, into->point_count + 1, sizeof(place)))
        return false;
    place corner = {(int32_t)(x + t->of->left - 1), (int32_t)(y + t->of->top - 1)};
    ((place *)into->points.at)[into->point_count++] = corner;
    return true;
}

/* From pixel (x0, y0), whose neighbour in the direction `outside` belongs to the other side of the border. */
static bool follow(const tracing *t, int64_t x0, int64_t y0, int outside)
{
    int direction = outside;
    do
        direction = (direction + 7) & 7;
    while (direction != outside && !neighbour(t, x0, y0, direction));
    set_bit(t->visited, t->of, x0, y0);
    if (direction == outside) {
        set_bit(t->east_end, t->of, x0, y0);
        return add_point(t, x0, y0);
    }
    const int64_t last_x = x0 + STEP_X[direction], last_y = y0 + STEP_Y[direction];
    int came = direction ^ 4;
    for (int64_t x = x0, y = y0;;) {
        bool east = false;
        do {
            direction = (direction + 1) & 7;
            if (neighbour(t, x, y, direction))
                break;
            east |= direction == 0;
        } while (true);
        set_bit(t->visited, t->of, x, y);
        if (east)
            set_bit(t->east_end, t->of, x, y);
        if (direction != came && !add_point(t, x, y))
            return false;
        came = direction;
        int64_t next_x = x + STEP_X[direction], next_y = y + STEP_Y[direction];
        if (next_x == x0 && next_y == y0 && x == last_x && y == last_y)
            return true;
        x = next_x;
        y = next_y;
        direction = (direction + 4) & 7;
    }
}

static bool add_ring(const tracing *t, int64_t x, int64_t y, bool outer)
{
    outline *into = t->into;
    ring added = {into->point_count, 0, outer};
    if (!follow(t, x, y, outer ? 4 : 0) || !reserve(&into->rings, into->ring_count + 1, sizeof(ring)))
        return false;
    added.count = (int32_t)(into->point_count - added.first);
    ((ring *)into->rings.at)[into->ring_count++] = added;
    return true;
}

bool trace(const region *from, const frame *of, const uint64_t *bits, outline *into)
{
    size_t words = words_of(of);
    if (!reserve(&into->marks, words, 2 * sizeof(uint64_t)))
        return false;
    memset(into->marks.at, 0, words * 2 * sizeof(uint64_t));
    tracing t = {of, bits, into->marks.at, (uint64_t *)into->marks.at + words, into};
    into->point_count = into->ring_count = 0;
    for (int32_t k = 0; k < from->count; k++) {
        int64_t y = (int64_t)from->runs[k].row - of->top + 1;
        int64_t begin = (int64_t)from->runs[k].start - of->left + 1, end = (int64_t)from->runs[k].stop - of->left;
        if (!bit_at(t.visited, of, begin, y) && !add_ring(&t, begin, y, true))
            return false;
        if (!bit_at(t.east_end, of, end, y) && !add_ring(&t, end, y, false))
            return false;
    }
    return true;
}

static double length_of(const place *points, int32_t count)
{
    double length = 0;
    for (int32_t k = 0; k < count; k++) {
        const place *a = points + k, *b = points + (k + 1) % count, *c = points + (k + 2) % count;
        int64_t across = larger(b->x, a->x) - smaller(b->x, a->x), down = larger(b->y, a->y) - smaller(b->y, a->y);
        bool slanted = across && down, then = c->x != b->x && c->y != b->y;
        double straight = (double)(across > down ? across - down : down - across);
        length += STRAIGHT * straight + DIAGONAL * (double)smaller(across, down) + CORNER * (slanted != then);
    }
    return length;
}

double perimeter_of(const outline *of)
{
    double length = 0;
    for (size_t k = 0; k < of->ring_count; k++) {
        const ring *one = (const ring *)of->rings.at + k;
        if (one->outer)
            length += length_of((const place *)of->points.at + one->first, one->count) + PI;
    }
    return length;
}

double area_inside(const outline *of)
{
    int64_t doubled = 0;
    for (size_t k = 0; k < of->ring_count; k++) {
        const ring *one = (const ring *)of->rings.at + k;
        const place *points = (const place *)of->points.at + one->first;
        int64_t sum = 0;
        for (int32_t j = 1; one->outer && j + 1 < one->count; j++) {
            int64_t ax = (int64_t)points[j].x - points->x, ay = (int64_t)points[j].y - points->y;
            int64_t bx = (int64_t)points[j + 1].x - points->x, by = (int64_t)points[j + 1].y - points->y;
            sum += ax * by - ay * bx;
        }
        doubled += sum < 0 ? -sum : sum;
    }
    return (double)doubled / 2;
}

static double square_to_side(const place *a, const place *b, double x, double y)
{
    double along_x = (double)b->x - a->x, along_y = (double)b->y - a->y;
    double reach_x = x - a->x, reach_y = y - a->y;
    double size = along_x * along_x + along_y * along_y;
    double share = size > 0 ? (along_x * reach_x + along_y * reach_y) / size : 0;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    double off_x = reach_x - share * along_x, off_y = reach_y - share * along_y;
    return off_x * off_x + off_y * off_y;
}

double distance_to(const outline *of, double x, double y)
{
    double nearest = INFINITY;
    for (size_t k = 0; k < of->ring_count; k++) {
        const ring *one = (const ring *)of->rings.at + k;
        const place *points = (const place *)of->points.at + one->first;
        for (int32_t j = 0; j < one->count; j++) {
            double square = square_to_side(points + j, points + (j + 1 < one->count ? j + 1 : 0), x, y);
            nearest = square < nearest ? square : nearest;
        }
    }
    return sqrt(nearest);
}

void release_outline(outline *of)
{
    release(&of->points);
    release(&of->rings);
    release(&of->marks);
}
