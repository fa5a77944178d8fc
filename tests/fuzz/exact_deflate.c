/* Compare exact_deflate with zlib, for libFuzzer; or, without FUZZ, compress files for a test to compare.
 *
 * Fuzz:      python -m tests.fuzz.exact_deflate .fuzz/exact_deflate -max_total_time=3600
 * Compress:  PROGRAM PIECE_BYTES SEGMENT_BYTES FILE OUT  (the stream in pieces, then the one in segments)
 */
#include "../../factory/build/exact_deflate/exact_deflate.c"

#include <stdio.h>

struct stream {
    uint8_t *bytes;
    size_t size;
};

static void take(struct stream *to, struct exact_deflate *from)
{
    size_t size;
    const uint8_t *bytes = exact_deflate_output(from, &size);
    if (size == 0)
        return;
    to->bytes = realloc(to->bytes, to->size + size);
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

/* Each piece is a block of memory of its own, so that a sanitizer sees a read behind it. */
static struct stream in_pieces(const uint8_t *content, size_t size, size_t piece)
{
    struct stream made = {0};
    struct exact_deflate *stream = exact_deflate_new();
    for (size_t at = 0; at < size; at += piece) {
        const size_t part = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(part);
        memcpy(copy, content + at, part);
        exact_deflate_compress(stream, copy, part);
        free(copy);
        take(&made, stream);
    }
    exact_deflate_finish(stream);
    take(&made, stream);
    exact_deflate_free(stream);
    return made;
}

static struct stream in_segments(const uint8_t *content, size_t size, size_t segment_size)
{
    struct stream made = {0};
    struct exact_deflate *stream = exact_deflate_new();
    bool is_last = false;
    for (size_t at = 0; !is_last; at += segment_size) {
        is_last = size - at < segment_size + 512;
        const size_t part = is_last ? size - at : segment_size;
        const size_t history = at < HISTORY ? at : HISTORY;
        const size_t following = is_last ? 0 : 512;
        uint8_t *copy = calloc(1, history + part + following + 512);
        memcpy(copy, content + at - history, history + part + following);
        struct segment *segment = exact_deflate_parse(copy, history, part, following, at, is_last);
        exact_deflate_join(stream, segment);
        exact_deflate_free_segment(segment);
        free(copy);
        take(&made, stream);
    }
    exact_deflate_free(stream);
    return made;
}

#ifdef FUZZ
#include <zlib.h>

enum { LONGEST = 300000, ROOM = 100000 };

/* The input is a small program that writes the content, so that short inputs give long contents with far matches. */
static size_t expand(uint8_t *content, const uint8_t *code, size_t size)
{
    size_t length = 0;
    for (size_t at = 0; at + 3 <= size && length < LONGEST;) {
        const unsigned operation = code[at] & 3, small = code[at] >> 2;
        const unsigned number = code[at + 1] | (unsigned)code[at + 2] << 8;
        at += 3;
        if (operation == 0) { /* bytes */
            for (unsigned i = 0; i < (number & 255) && at < size; i++)
                content[length++] = code[at++];
        } else if (operation == 1 && number < length) { /* a copy */
            for (unsigned i = 0; i < 3 + small * 8; i++, length++)
                content[length] = content[length - 1 - number];
        } else if (operation == 2) { /* a run */
            memset(content + length, (int)small, number / 4);
            length += number / 4;
        } else if (operation == 3) { /* noise of a small alphabet */
            uint32_t state = number;
            for (unsigned i = 0; i < number / 4; i++) {
                state = state * 1103515245u + 12345u;
                content[length++] = (uint8_t)(state >> 16 & small);
            }
        }
    }
    return length;
}

static void require_equal(struct stream made, const uint8_t *expected, size_t size)
{
    if (made.size != size || memcmp(made.bytes, expected, size) != 0)
        __builtin_trap();
    free(made.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *code, size_t size)
{
    static uint8_t content[LONGEST + ROOM], expected[2 * (LONGEST + ROOM)];
    z_stream stream = {0};
    if (size < 4)
        return 0;
    const size_t piece = 1 + (code[0] | (size_t)code[1] << 8), segment = 600 + (code[2] | (size_t)code[3] << 8);
    const size_t length = expand(content, code + 4, size - 4);
    deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    stream.next_in = content;
    stream.avail_in = (uInt)length;
    stream.next_out = expected;
    stream.avail_out = sizeof expected;
    deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    require_equal(in_pieces(content, length, piece), expected, stream.total_out);
    require_equal(in_segments(content, length, segment), expected, stream.total_out);
    return 0;
}
#else
int main(int count, char **arguments)
{
    static uint8_t content[4 << 20];
    FILE *file = count == 5 ? fopen(arguments[3], "rb") : NULL, *out = count == 5 ? fopen(arguments[4], "wb") : NULL;
    if (file == NULL || out == NULL)
        return 2;
    const size_t size = fread(content, 1, sizeof content, file);
    const struct stream streams[] = {
        in_pieces(content, size, (size_t)atol(arguments[1])),
        in_segments(content, size, (size_t)atol(arguments[2])),
    };
    for (size_t i = 0; i < 2; i++) {
        fwrite(streams[i].bytes, 1, streams[i].size, out);
        free(streams[i].bytes);
    }
    fclose(file);
    return fclose(out);
}
#endif
