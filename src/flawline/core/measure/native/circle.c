/* Smallest enclosing circles, as circle.py has them: B. Gaertner, ESA 1999, pivoting on the farthest point. */
#include <math.h>

#include "hull.h"

static const double TINY = 1e-12, SLACK = 1e-9;

typedef struct {
    double x, y, square;
} circle;

static double square_of(double x, double y) { return x * x + y * y; }

/* Around the line from 0 to u. */
static circle around_line(point u)
{
    circle found = {(double)u.x / 2, (double)u.y / 2, 0};
    found.square = square_of(found.x, found.y);
    return found;
}

/* Through 0, u and v; infinitely large where these lie on one line. */
static circle through(point u, point v)
{
    double ux = (double)u.x, uy = (double)u.y, vx = (double)v.x, vy = (double)v.y;
    double cross = ux * vy - uy * vx, u2 = square_of(ux, uy), v2 = square_of(vx, vy);
    circle found = {0, 0, INFINITY};
    if (fabs(cross) < TINY)
        return found;
    double scale = 1 / (2 * cross);
    found.x = -(uy * v2 - vy * u2) * scale;
    found.y = (ux * v2 - vx * u2) * scale;
    found.square = square_of(found.x, found.y);
    return found;
}

/* The smallest circle around the pivot and at most three others, with the pivot on it; `support` becomes its points. */
static circle next(point pivot, point support[3])
{
    static const int candidates[6][2] = {{0, 0}, {1, 1}, {2, 2}, {0, 1}, {0, 2}, {1, 2}};
    point around[3];
    for (int k = 0; k < 3; k++) {
        around[k].x = support[k].x - pivot.x;
        around[k].y = support[k].y - pivot.y;
    }
    circle best = {0, 0, INFINITY};
    int one = -1, other = -1;
    for (int c = 0; c < 6; c++) {
        int a = candidates[c][0], b = candidates[c][1];
        circle tried = a == b ? around_line(around[a]) : through(around[a], around[b]);
        bool better = tried.square < best.square;
        double limit = tried.square * (1 + SLACK) + TINY;
        for (int k = 0; k < 3 && better; k++)
            if (k != a && k != b)
                better = square_of((double)around[k].x - tried.x, (double)around[k].y - tried.y) <= limit;
        if (better) {
            best.x = (double)pivot.x + tried.x;
            best.y = (double)pivot.y + tried.y;
            best.square = tried.square;
            one = a;
            other = b;
        }
    }
    point first = one < 0 ? pivot : support[one], second = other < 0 ? pivot : support[other];
    support[0] = pivot;
    support[1] = first;
    support[2] = second;
    return best;
}

void enclosing_circle(const hull *of, double *row)
{
    const point *corners = of->corners.at;
    point support[3] = {corners[0], corners[0], corners[0]};
    circle found = {(double)corners[0].x, (double)corners[0].y, 0};
    for (;;) {
        int32_t pivot = 0;
        double farthest = -1;
        for (int32_t k = 0; k < of->count; k++) {
            double distance = square_of((double)corners[k].x - found.x, (double)corners[k].y - found.y);
            if (distance > farthest) {
                farthest = distance;
                pivot = k;
            }
        }
        if (!(farthest > found.square * (1 + SLACK) + TINY))
            break;
        found = next(corners[pivot], support);
    }
    row[CIRCLE_X] = found.x + 0.5;
    row[CIRCLE_Y] = found.y + 0.5;
    row[CIRCLE_RADIUS] = sqrt(found.square);
}
