/* From pixels to runs. Nearly all of a mask is background, so how fast that is passed over decides. */
#include <string.h>

#include "regions.h"

#define WORDS 8
/* Masks come from memory, not from the cache, and the way there is longer than the processor looks ahead itself. */
#if defined(__GNUC__)
#define ASK_FOR(address) __builtin_prefetch(address)
#else
#define ASK_FOR(address) ((void)(address))
#endif
#define AHEAD 2048

/* The place in memory of the first byte that is not 0 in a word that is not 0. */
static int first_byte(uint64_t word)
{
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_ctzll(word) >> 3;
#else
    uint8_t bytes[8];
    int place = 0;
    memcpy(bytes, &word, sizeof bytes);
    while (!bytes[place])
        place++;
    return place;
#endif
}

static uint64_t word_at(const uint8_t *pixels)
{
    uint64_t word;
    memcpy(&word, pixels, sizeof word);
    return word;
}

static bool all_background(const uint8_t *pixels)
{
    uint64_t any = 0;
    for (int k = 0; k < WORDS; k++)
        any |= word_at(pixels + 8 * k);
    return !any;
}

static int64_t after_background(const uint8_t *pixels, int64_t at, int64_t end)
{
    for (; end - at >= 8 * WORDS && all_background(pixels + at); at += 8 * WORDS)
        if (end - at > AHEAD)
            ASK_FOR(pixels + at + AHEAD);
    for (; end - at >= 8; at += 8) {
        uint64_t word = word_at(pixels + at);
        if (word)
            return at + first_byte(word);
    }
    while (at < end && !pixels[at])
        at++;
    return at;
}

static int64_t after_run(const uint8_t *pixels, int64_t at, int64_t end)
{
    const uint8_t value = pixels[at];
    for (; end - at >= 8; at += 8) {
        uint64_t other = word_at(pixels + at) ^ UINT64_C(0x0101010101010101) * value;
        if (other)
            return at + first_byte(other);
    }
    while (at < end && pixels[at] == value)
        at++;
    return at;
}

bool find_runs(const mask *from, regions *into)
{
    const int64_t width = from->width, size = from->height * width;
    int64_t begin = 0; /* of the row */
    size_t count = 0;
    for (int64_t at = 0; (at = after_background(from->pixels, at, size)) < size;) {
        if (at - begin >= width)
            begin = at / width * width;
        int64_t stop = after_run(from->pixels, at, begin + width);
        if (!reserve(&into->runs, count + 1, sizeof(run)))
            return false;
        run found = {(int32_t)(begin / width), (int32_t)(at - begin), (int32_t)(stop - begin), from->pixels[at], 0, 0};
        ((run *)into->runs.at)[count++] = found;
        at = stop;
    }
    into->run_count = (int32_t)count;
    return true;
}
