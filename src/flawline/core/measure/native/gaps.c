#include "gaps.h"

#include <math.h>
#include <stdlib.h>

enum { FAN = 8, RUNS = 8 };
static const double SLACK = 1e-9; /* px: as in gaps.py */

static int64_t apart(int64_t begin, int64_t end, int64_t other_begin, int64_t other_end)
{
    return larger(0, larger(begin, other_begin) - smaller(end, other_end));
}

static int64_t square_between(const box *a, const box *b)
{
    int64_t across = apart(a->left, a->right, b->left, b->right), down = apart(a->top, a->bottom, b->top, b->bottom);
    return across * across + down * down;
}

static box hull_of(box one, const box *other)
{
    one.left = (int32_t)smaller(one.left, other->left);
    one.top = (int32_t)smaller(one.top, other->top);
    one.right = (int32_t)larger(one.right, other->right);
    one.bottom = (int32_t)larger(one.bottom, other->bottom);
    return one;
}

static box box_of(const run *of)
{
    box found = {of->start, of->row, of->stop, of->row + 1};
    return found;
}

static chunk chunk_of(const region *of, int32_t number, int32_t first)
{
    chunk made = {box_of(of->runs + first), number, first, (int32_t)smaller(RUNS, of->count - first)};
    for (int32_t k = 1; k < made.count; k++) {
        box next = box_of(of->runs + first + k);
        made.around = hull_of(made.around, &next);
    }
    return made;
}

static int in_order(const chunk *one, const chunk *other)
{
    if (one->region != other->region)
        return one->region < other->region ? -1 : 1;
    return (one->first > other->first) - (one->first < other->first);
}

static int by_row(const void *a, const void *b)
{
    const chunk *one = a, *other = b;
    if (one->around.top != other->around.top)
        return one->around.top < other->around.top ? -1 : 1;
    return in_order(one, other);
}

static int by_column(const void *a, const void *b)
{
    const chunk *one = a, *other = b;
    if (one->around.left != other->around.left)
        return one->around.left < other->around.left ? -1 : 1;
    return in_order(one, other);
}

/* What lies near side by side: by rows of tiles, then along each row (S. T. Leutenegger and others, ICDE 1997). */
static void sort_chunks(chunk *chunks, int32_t count)
{
    if (count <= FAN)
        return;
    qsort(chunks, (size_t)count, sizeof(chunk), by_row);
    int64_t leaves = (count + FAN - 1) / FAN, slab = (int64_t)ceil(sqrt((double)leaves)) * FAN;
    for (int64_t begin = 0; begin < count; begin += slab)
        qsort(chunks + begin, (size_t)smaller(slab, count - begin), sizeof(chunk), by_column);
}

static bool find_chunks(const regions *of, tree *into)
{
    size_t count = 0;
    for (int32_t k = 0; k < of->count; k++)
        count += (size_t)(region_at(of, k)->count + RUNS - 1) / RUNS;
    if (!reserve(&into->chunks, count, sizeof(chunk)))
        return false;
    chunk *next = into->chunks.at;
    for (int32_t k = 0; k < of->count; k++)
        for (int32_t first = 0; first < region_at(of, k)->count; first += RUNS)
            *next++ = chunk_of(region_at(of, k), k, first);
    into->count[0] = (int32_t)count;
    sort_chunks(into->chunks.at, (int32_t)count);
    return true;
}

static node *node_at(const tree *of, int32_t level, int64_t k) { return (node *)of->nodes.at + of->first[level] + k; }

static node joined(const node *nodes, int64_t count)
{
    node made = nodes[0];
    for (int64_t k = 1; k < count; k++) {
        made.around = hull_of(made.around, &nodes[k].around);
        if (nodes[k].region != made.region)
            made.region = -1;
    }
    return made;
}

bool plant(const regions *of, tree *into)
{
    if (!find_chunks(of, into))
        return false;
    const int32_t count = into->count[0];
    if (!reserve(&into->nodes, (size_t)count + (size_t)count / (FAN - 1) + 16, sizeof(node)))
        return false;
    into->first[0] = 0;
    for (int32_t k = 0; k < count; k++) {
        const chunk *from = (const chunk *)into->chunks.at + k;
        node made = {from->around, from->region};
        *node_at(into, 0, k) = made;
    }
    for (into->levels = 1; into->count[into->levels - 1] > FAN; into->levels++) {
        const int32_t high = into->levels, below = into->count[high - 1];
        into->first[high] = into->first[high - 1] + below;
        into->count[high] = (below + FAN - 1) / FAN;
        for (int64_t k = 0; k < into->count[high]; k++)
            *node_at(into, high, k) = joined(node_at(into, high - 1, k * FAN), smaller(FAN, below - k * FAN));
    }
    return true;
}

/* The square of the gap between two chunks. */
static int64_t square_of_gap(const regions *of, const chunk *one, const chunk *other)
{
    const run *a = region_at(of, one->region)->runs + one->first;
    const run *b = region_at(of, other->region)->runs + other->first;
    int64_t best = INT64_MAX;
    for (int32_t j = 0; j < one->count; j++)
        for (int32_t k = 0; k < other->count; k++) {
            box mine = box_of(a + j), theirs = box_of(b + k);
            best = smaller(best, square_between(&mine, &theirs));
        }
    return best;
}

/* Nodes below node `from`, or the topmost ones, that hold other regions, from near to far; returns how many. */
static int32_t sorted_below(const tree *in, const chunk *mine, int32_t level, int32_t from, int64_t *squares,
                            int32_t *order)
{
    int32_t begin = level == in->levels - 1 ? 0 : from * FAN, count = 0;
    for (int32_t k = begin; k < smaller(in->count[level], (int64_t)begin + FAN); k++) {
        const node *tried = node_at(in, level, k);
        if (tried->region == mine->region)
            continue;
        int64_t square = square_between(&mine->around, &tried->around);
        int32_t at = count++;
        for (; at > 0 && squares[at - 1] > square; at--) {
            squares[at] = squares[at - 1];
            order[at] = order[at - 1];
        }
        squares[at] = square;
        order[at] = k;
    }
    return count;
}

/* `nearest` holds the square of the gap from each region to the nearest other one, as far as it is known. */
static void nearest_below(const regions *of, const tree *in, int64_t *nearest, const chunk *mine, int32_t level,
                          int32_t from)
{
    int64_t squares[FAN];
    int32_t order[FAN], count = sorted_below(in, mine, level, from, squares, order);
    for (int32_t k = 0; k < count && squares[k] < nearest[mine->region]; k++) {
        if (level) {
            nearest_below(of, in, nearest, mine, level - 1, order[k]);
            continue;
        }
        const chunk *other = (const chunk *)in->chunks.at + order[k];
        int64_t square = square_of_gap(of, mine, other);
        nearest[mine->region] = smaller(nearest[mine->region], square);
        nearest[other->region] = smaller(nearest[other->region], square);
    }
}

bool nearest_gaps(const regions *of, tree *in, double *gap)
{
    if (!reserve(&in->scratch, (size_t)of->count, sizeof(int64_t)))
        return false;
    int64_t *nearest = in->scratch.at;
    for (int32_t k = 0; k < of->count; k++)
        nearest[k] = INT64_MAX;
    for (int32_t k = 0; k < in->count[0] && of->count > 1; k++)
        nearest_below(of, in, nearest, (const chunk *)in->chunks.at + k, in->levels - 1, 0);
    for (int32_t k = 0; k < of->count; k++)
        gap[k] = of->count > 1 ? sqrt((double)nearest[k]) : INFINITY;
    return true;
}

typedef struct {
    const regions *of;
    const tree *in;
    double limit;
    bool same_class;
    int32_t *root;
} joining;

static void join_chunks(joining *by, const chunk *mine, const chunk *other)
{
    if (by->same_class && region_at(by->of, mine->region)->value != region_at(by->of, other->region)->value)
        return;
    if (root_of(by->root, mine->region) == root_of(by->root, other->region))
        return;
    if (sqrt((double)square_of_gap(by->of, mine, other)) <= by->limit)
        unite(by->root, mine->region, other->region);
}

static void join_below(joining *by, const chunk *mine, int32_t level, int32_t from)
{
    int32_t begin = level == by->in->levels - 1 ? 0 : from * FAN;
    for (int32_t k = begin; k < smaller(by->in->count[level], (int64_t)begin + FAN); k++) {
        const node *tried = node_at(by->in, level, k);
        if (tried->region == mine->region ||
            !(sqrt((double)square_between(&mine->around, &tried->around)) <= by->limit))
            continue;
        if (level)
            join_below(by, mine, level - 1, k);
        else
            join_chunks(by, mine, (const chunk *)by->in->chunks.at + k);
    }
}

bool group_regions(const regions *of, tree *in, double limit, bool same_class, int32_t *group, int32_t *count)
{
    if (!reserve(&in->scratch, (size_t)of->count, sizeof(int64_t)))
        return false;
    joining by = {of, in, limit + SLACK, same_class, in->scratch.at};
    for (int32_t k = 0; k < of->count; k++)
        by.root[k] = k;
    for (int32_t k = 0; k < in->count[0]; k++)
        join_below(&by, (const chunk *)in->chunks.at + k, in->levels - 1, 0);
    *count = 0;
    for (int32_t k = 0; k < of->count; k++)
        group[k] = by.root[k] == k ? (*count)++ : group[root_of(by.root, k)];
    return true;
}

void release_tree(tree *of)
{
    release(&of->chunks);
    release(&of->nodes);
    release(&of->scratch);
}
