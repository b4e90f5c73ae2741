/* From runs to regions. */
#include <string.h>

#include "regions.h"

/* Twice the area of the squares of four pixel centres that two touching runs share (sums.areas_inside_contours). */
static int64_t area_between(const run *upper, const run *lower)
{
    int64_t start = larger(upper->start, lower->start), stop = smaller(upper->stop, lower->stop);
    if (stop <= start)
        return 0;
    return 2 * (stop - start - 1) + (upper->start != lower->start) + (upper->stop != lower->stop);
}

/* Runs [above, begin) lie in the row above those of [begin, end). */
static void link_rows(run *runs, int32_t *root, int32_t above, int32_t begin, int32_t end)
{
    for (int32_t lower = begin, first = above; lower < end; lower++) {
        run *mine = runs + lower;
        while (first < begin && runs[first].stop < mine->start)
            first++;
        for (int32_t upper = first; upper < begin && runs[upper].start <= mine->stop; upper++)
            if (runs[upper].value == mine->value) {
                unite(root, upper, lower);
                mine->touching++;
                mine->inside += area_between(runs + upper, mine);
            }
    }
}

static void link_all(run *runs, int32_t *root, int32_t count)
{
    for (int32_t k = 0; k < count; k++)
        root[k] = k;
    for (int32_t above = 0, begin = 0, end = 0; begin < count; above = begin, begin = end) {
        while (end < count && runs[end].row == runs[begin].row)
            end++;
        if (above < begin && runs[above].row == runs[begin].row - 1)
            link_rows(runs, root, above, begin, end);
    }
}

static void add_run(region *to, const run *added)
{
    if (!to->count) {
        to->top = added->row;
        to->left = added->start;
        to->right = added->stop;
        to->value = added->value;
    }
    to->count++;
    to->left = (int32_t)smaller(to->left, added->start);
    to->right = (int32_t)larger(to->right, added->stop);
    to->bottom = added->row + 1;
    to->area += added->stop - added->start;
    to->touching += added->touching;
    to->inside += added->inside;
}

/* Sum up every region and lay its runs side by side; `pieces` holds the pieces of each. */
static bool gather(regions *of, const int32_t *pieces)
{
    size_t count = (size_t)of->count;
    if (!reserve(&of->regions, count, sizeof(region)) || !reserve(&of->grouped, (size_t)of->run_count, sizeof(run)))
        return false;
    region *found = of->regions.at;
    const run *runs = of->runs.at;
    const int32_t *label = of->label.at;
    memset(found, 0, count * sizeof(region));
    for (int32_t k = 0; k < of->run_count; k++)
        if (label[k] >= 0)
            add_run(found + label[k], runs + k);
    run *next = of->grouped.at;
    for (int32_t k = 0; k < of->count; k++) {
        found[k].runs = next;
        found[k].pieces = pieces ? pieces[k] : 1;
        next += found[k].count;
        found[k].count = 0; /* counted again while the runs are laid down */
    }
    for (int32_t k = 0; k < of->run_count; k++)
        if (label[k] >= 0) {
            region *mine = found + label[k];
            ((run *)of->grouped.at)[mine->runs - (run *)of->grouped.at + mine->count++] = runs[k];
        }
    return true;
}

bool label_runs(regions *of)
{
    size_t count = (size_t)of->run_count;
    if (!reserve(&of->root, count, sizeof(int32_t)) || !reserve(&of->label, count, sizeof(int32_t)))
        return false;
    int32_t *root = of->root.at, *label = of->label.at;
    link_all(of->runs.at, root, of->run_count);
    of->count = 0;
    for (int32_t k = 0; k < of->run_count; k++)
        label[k] = root[k] == k ? of->count++ : label[root_of(root, k)];
    return gather(of, NULL);
}

bool renumber(regions *of, const int32_t *number, int32_t count)
{
    if (!reserve(&of->pieces, (size_t)count + 1, sizeof(int32_t)))
        return false;
    int32_t *pieces = of->pieces.at, *label = of->label.at;
    memset(pieces, 0, (size_t)count * sizeof(int32_t));
    for (int32_t k = 0; k < of->count; k++)
        if (number[k] >= 0)
            pieces[number[k]] += region_at(of, k)->pieces;
    for (int32_t k = 0; k < of->run_count; k++)
        if (label[k] >= 0)
            label[k] = number[label[k]];
    of->count = count;
    return gather(of, pieces);
}

bool leave_out_small(regions *of, int64_t smallest)
{
    if (!reserve(&of->renumbered, (size_t)of->count + 1, sizeof(int32_t)))
        return false;
    int32_t *number = of->renumbered.at, count = 0;
    for (int32_t k = 0; k < of->count; k++)
        number[k] = region_at(of, k)->area >= smallest ? count++ : -1;
    return count == of->count || renumber(of, number, count);
}

void release_regions(regions *of)
{
    buffer *all[] = {&of->runs, &of->root, &of->label, &of->grouped, &of->regions, &of->pieces, &of->renumbered};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        release(all[k]);
}
