/* Memory that grows. Every size is checked; what fails says so, and nothing is lost. */
#ifndef FLAWLINE_MEMORY_H
#define FLAWLINE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    void *at;
    size_t room; /* bytes */
} buffer;

bool grow(buffer *into, size_t count, size_t size);

/* Make room for `count` items of `size` bytes; what is in the buffer stays. False where there is no memory. */
static inline bool reserve(buffer *into, size_t count, size_t size)
{
    return (into->at && count <= into->room / size) || grow(into, count, size);
}

void release(buffer *from);

#endif
