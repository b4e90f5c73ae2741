#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

bool grow(buffer *into, size_t count, size_t size)
{
    if (count > SIZE_MAX / 2 / size)
        return false;
    size_t need = count * size, room = need + need / 2 + 64;
    void *at = realloc(into->at, room);
    if (!at)
        return false;
    into->at = at;
    into->room = room;
    return true;
}

void release(buffer *from)
{
    free(from->at);
    from->at = NULL;
    from->room = 0;
}
