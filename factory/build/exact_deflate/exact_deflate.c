/* exact_deflate: raw deflate (RFC 1951) with exactly the bytes of zlib at level 6, memLevel 8, windowBits 15.
 *
 * zlib finds a match by walking a chain of up to 128 earlier positions with the same hash of three bytes. This
 * encoder finds the same matches on shorter chains; README.md explains why they are the same. The order of
 * this file: search, parse (search results to symbols), blocks (symbols to bits), stream, segments.
 *
 * "Position" is a byte's offset in the whole stream. "Literal", "length", "distance", "code" and "block" are
 * RFC 1951's terms.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif

/* gcc 12.2 for aarch64 takes assign_words for a function without effect, and drops the calls: its optimization of
 * induction variables makes the address of `word` from an integer. clang and x86-64 are right. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__aarch64__)
#pragma GCC optimize("no-ivopts")
#endif

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "exact_deflate needs a little-endian machine, and gcc or clang"
#endif

/* zlib's constants. */
enum {
    MIN_MATCH = 3,
    MAX_MATCH = 258,
    MIN_LOOKAHEAD = MAX_MATCH + MIN_MATCH + 1, /* with fewer bytes ahead, zlib refills its window */
    WINDOW_SIZE = 32768,
    MAX_DISTANCE = WINDOW_SIZE - MIN_LOOKAHEAD,
    FIRST_SLIDE = WINDOW_SIZE + MAX_DISTANCE, /* zlib's window of 64 KiB slides at this position */
    TOO_FAR = 4096,                           /* a match of three bytes at a greater distance is dropped */
    BLOCK_SYMBOLS = 16383                     /* memLevel 8 */
};

/* zlib's configuration of level 6. */
enum { GOOD_LENGTH = 8, MAX_LAZY = 16, NICE_LENGTH = 128, MAX_CHAIN = 128, GOOD_CHAIN = MAX_CHAIN / 4 };

/* Sizes that are ours: they change the speed, not the output. */
enum {
    HASH3_BITS = 15, /* zlib's own hash, which counts the steps on its chain */
    HASH4_BITS = 17,
    HASH5_BITS = 16,
    RING_SIZE = 65536, /* a position's 16 low bits index the ring */
    TOO_OLD = WINDOW_SIZE - 1, /* a distance that is not valid, and is less than 65536 one ageing later */
    INSERT_BLOCK = 4096,
    PATIENCE = 12, /* steps on a chain before another one is tried */
    AHEAD = 1 + NICE_LENGTH, /* positions that a search needs inserted after the start of a symbol */
    PADDING = MAX_MATCH + 24, /* bytes that a search may read past the last position of a match */
    HISTORY = 65536 + 1024    /* bytes behind the parse that a stored block or a match may need */
};

#define INLINE inline __attribute__((always_inline))

static inline uint64_t load64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t load32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* ---- Search ------------------------------------------------------------------------------------------- */

/* One position of the ring: the distances to the nearest earlier positions with the same hash of three, four and five
 * bytes, and the ordinal in zlib's bucket. A distance of more than MAX_DISTANCE ends the chain. */
struct link {
    uint16_t back3, back4, back5, ordinal;
};

/* The newest position of a bucket of zlib's hash, and the number of positions inserted there, both modulo 65536. */
struct bucket {
    uint16_t newest, count;
};

struct index {
    struct link ring[RING_SIZE];
    struct bucket bucket3[1 << HASH3_BITS];
    uint16_t newest4[1 << HASH4_BITS];
    uint16_t newest5[1 << HASH5_BITS];
};

/* Empty the tables: every entry is too old at this position. Entries are positions modulo 65536, so that an entry must
 * be aged before it is 65536 positions old. */
static void clear_index(struct index *index, uint64_t position)
{
    const uint16_t too_old = (uint16_t)(position - TOO_OLD);
    memset(index->ring, 0xff, sizeof index->ring);
    for (size_t i = 0; i < 1 << HASH3_BITS; i++)
        index->bucket3[i] = (struct bucket){.newest = too_old};
    for (size_t i = 0; i < 1 << HASH4_BITS; i++)
        index->newest4[i] = too_old;
    for (size_t i = 0; i < 1 << HASH5_BITS; i++)
        index->newest5[i] = too_old;
}

static inline uint16_t aged(uint16_t now, uint16_t then)
{
    const uint16_t distance = (uint16_t)(now - then);
    return (uint16_t)(now - (distance < TOO_OLD ? distance : TOO_OLD));
}

/* Set entries that are older than the window to TOO_OLD, every WINDOW_SIZE positions, before they look new again. */
static void age_index(struct index *index, uint64_t position)
{
    const uint16_t now = (uint16_t)position;
    for (size_t i = 0; i < 1 << HASH3_BITS; i++)
        index->bucket3[i].newest = aged(now, index->bucket3[i].newest);
    for (size_t i = 0; i < 1 << HASH4_BITS; i++)
        index->newest4[i] = aged(now, index->newest4[i]);
    for (size_t i = 0; i < 1 << HASH5_BITS; i++)
        index->newest5[i] = aged(now, index->newest5[i]);
}

/* Insert positions; bytes points to the first one, and eight bytes past the last one can be read. */
static void insert(struct index *index, const uint8_t *bytes, uint64_t position, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t next = load64(bytes + i);
        const uint16_t here = (uint16_t)(position + i);
        const uint32_t hash3 = (uint32_t)(next << 10 ^ (next >> 8 & 0xff) << 5 ^ (next >> 16 & 0xff)) & 0x7fff;
        const uint32_t hash4 = (uint32_t)next * 0x9e3779b1u >> (32 - HASH4_BITS);
        const uint32_t hash5 = (uint32_t)((next << 24) * 0x9e3779b97f4a7c15u >> (64 - HASH5_BITS));
        struct bucket *bucket = &index->bucket3[hash3];
        index->ring[here] = (struct link){
            .back3 = (uint16_t)(here - bucket->newest),
            .back4 = (uint16_t)(here - index->newest4[hash4]),
            .back5 = (uint16_t)(here - index->newest5[hash5]),
            .ordinal = ++bucket->count,
        };
        bucket->newest = here;
        index->newest4[hash4] = here;
        index->newest5[hash5] = here;
    }
}

/* Count the equal bytes at two places, up to MAX_MATCH. */
static inline unsigned match_length(const uint8_t *here, const uint8_t *there)
{
    for (unsigned equal = 0; equal < MAX_MATCH; equal += 8) {
        const uint64_t difference = load64(here + equal) ^ load64(there + equal);
        if (difference != 0) {
            equal += (unsigned)__builtin_ctzll(difference) >> 3;
            return equal < MAX_MATCH ? equal : MAX_MATCH;
        }
    }
    return MAX_MATCH;
}

struct match {
    unsigned length, distance;
};

/* Where a search looks. */
struct place {
    const struct index *index;
    const uint8_t *bytes; /* at the position */
    uint64_t position;
    unsigned left;     /* bytes from the position to the end of the input, or PADDING if there are more */
    unsigned farthest; /* the greatest distance of a candidate; position 0 is zlib's NIL */
    bool edge_is_nil;  /* the position at MAX_DISTANCE is zlib's NIL, too */
};

/* Whether zlib looks at a candidate, in the same bucket of its hash: near enough on its chain, and in its window.
 * Only the first step may go to MAX_DISTANCE itself: deflate_slow tests "<=", longest_match ">". */
static inline bool is_seen(const struct place *place, unsigned distance, unsigned chain)
{
    const struct link *ring = place->index->ring;
    const uint16_t here = (uint16_t)place->position;
    const uint16_t steps = (uint16_t)(ring[here].ordinal - ring[(uint16_t)(here - distance)].ordinal);
    if (distance >= MAX_DISTANCE)
        return distance == MAX_DISTANCE && steps == 1 && !place->edge_is_nil;
    return steps <= chain;
}

static inline unsigned length_at(const struct place *place, unsigned distance)
{
    const unsigned length = match_length(place->bytes, place->bytes - distance);
    return length < place->left ? length : place->left;
}

/* Find a match longer than `best`, which has at least four bytes: the longest, the nearest of several, or the first of at
 * least NICE_LENGTH.
 *
 * Such a match also repeats the five bytes that end one byte after the end of `best`, so the chain of that place has
 * every candidate, at the same distance; and mostly it is short, because `best` ended there. If it is long, the
 * place's own chain is used: it ends after `chain` steps. */
static INLINE struct match search_longer(const struct place *place, struct match best, unsigned chain)
{
    const struct link *ring = place->index->ring;
    const uint8_t *here = place->bytes;
    const unsigned nice = place->left < NICE_LENGTH ? place->left : NICE_LENGTH;
    uint16_t index = (uint16_t)(place->position + best.length - 4);
    unsigned distance = ring[index].back5, patience = PATIENCE;
    bool is_own_chain = false;

    while (distance <= place->farthest) {
        const uint8_t *there = here - distance;
        const unsigned step = ring[(uint16_t)(index - distance)].back5;
        if ((is_own_chain || load32(there + best.length - 3) == load32(here + best.length - 3)) &&
            load32(there) == load32(here)) {
            if (!is_seen(place, distance, chain))
                break;
            const unsigned length = length_at(place, distance);
            if (length > best.length) {
                best = (struct match){.length = length, .distance = distance};
                if (length >= nice)
                    break;
                if (!is_own_chain) { /* its nearer candidates are compared again, and are not longer */
                    index = (uint16_t)(place->position + length - 4);
                    distance = ring[index].back5;
                    continue;
                }
            }
        }
        distance += step;
        if (!is_own_chain && --patience == 0) {
            is_own_chain = true;
            index = (uint16_t)place->position;
            distance = ring[index].back5;
        }
    }
    return best;
}

/* Find the match that zlib's longest_match finds at a place: longer than `previous`, the match one byte before. The
 * length is 2 if there is none. */
static INLINE struct match search(const struct place *place, unsigned previous)
{
    const struct link *ring = place->index->ring;
    const uint8_t *here = place->bytes;
    const uint16_t index = (uint16_t)place->position;
    const uint32_t next = load32(here);
    const struct match none = {.length = MIN_MATCH - 1, .distance = 0};
    unsigned distance;

    if (previous >= place->left)
        return none;
    if (previous >= 4) {
        const struct match best = {.length = previous, .distance = 0};
        const struct match found = search_longer(place, best, previous >= GOOD_LENGTH ? GOOD_CHAIN : MAX_CHAIN);
        return found.distance != 0 ? found : none;
    }
    for (distance = ring[index].back4; distance <= place->farthest; distance += ring[(uint16_t)(index - distance)].back4) {
        if (load32(here - distance) != next)
            continue;
        if (place->left < 4 || !is_seen(place, distance, MAX_CHAIN))
            break;
        const struct match best = {.length = length_at(place, distance), .distance = distance};
        if (best.length >= NICE_LENGTH || best.length == place->left)
            return best;
        return search_longer(place, best, MAX_CHAIN);
    }
    if (previous >= MIN_MATCH)
        return none;
    distance = ring[index].back3; /* this is zlib's chain */
    for (unsigned steps = 1; steps <= MAX_CHAIN && distance <= TOO_FAR; steps++) {
        if (((load32(here - distance) ^ next) & 0xffffff) == 0)
            return (struct match){.length = MIN_MATCH, .distance = distance};
        distance += ring[(uint16_t)(index - distance)].back3;
    }
    return none;
}

/* ---- Parse -------------------------------------------------------------------------------------------- */

/* A literal is its byte; a match is its distance << 16 | its length - MIN_MATCH. */
typedef uint32_t symbol;

static inline symbol match_symbol(struct match match)
{
    return (uint32_t)match.distance << 16 | (match.length - MIN_MATCH);
}

static inline unsigned symbol_length(symbol symbol)
{
    return symbol >> 16 ? (symbol & 0xff) + MIN_MATCH : 1;
}

/* The part of the input that is in memory. `start` is the position of bytes[0]; PADDING bytes can be read past `end`. */
struct input {
    const uint8_t *bytes;
    uint64_t start, end;
    bool is_final; /* the stream ends at `end` */
};

struct parser {
    uint64_t inserted; /* the first position that is not in the index */
    uint64_t position; /* where the next symbol starts */
    struct match found; /* the match there, if it is known already; a length of 0 if not */
    struct index index;
};

/* Start a parse at a position; the bytes before it must be inserted by `parse` from `history` on. */
static void start_parser(struct parser *parser, uint64_t history, uint64_t position)
{
    parser->position = position;
    parser->inserted = history > 0 ? history : 1; /* position 0 is zlib's NIL, never a candidate */
    parser->found = (struct match){0};
    clear_index(&parser->index, parser->inserted);
}

/* Insert positions up to `end`, which is at most 65536 - WINDOW_SIZE ahead of the parse. */
static void insert_until(struct parser *parser, const struct input *input, uint64_t end)
{
    while (parser->inserted < end) {
        uint64_t stop = (parser->inserted / WINDOW_SIZE + 1) * WINDOW_SIZE; /* where the tables age */
        if (stop > end)
            stop = end;
        if (parser->inserted % WINDOW_SIZE == 0)
            age_index(&parser->index, parser->inserted);
        insert(&parser->index, input->bytes + (parser->inserted - input->start), parser->inserted,
               (size_t)(stop - parser->inserted));
        parser->inserted = stop;
    }
}

/* Search at a position; `is_tail` is a constant. */
static INLINE struct match search_at(const struct parser *parser, const struct input *input, uint64_t position,
                                     unsigned previous, const bool is_tail)
{
    const uint64_t left = input->end - position;
    const struct place place = {
        .index = &parser->index,
        .bytes = input->bytes + (position - input->start),
        .position = position,
        .left = !is_tail || left > PADDING ? PADDING : (unsigned)left,
        .farthest = position > MAX_DISTANCE ? MAX_DISTANCE : position > 0 ? (unsigned)position - 1 : 0,
        .edge_is_nil = is_tail && left < MIN_LOOKAHEAD && position % WINDOW_SIZE == MAX_DISTANCE,
    };
    return search(&place, previous);
}

/* Append the symbols that start before `stop`, at most `room`; return their number. `stop` itself is inserted, or is
 * the end of the stream. `is_tail`: fewer than PADDING bytes may be left; a constant, so that there are two copies. */
static INLINE size_t parse_inserted(struct parser *parser, const struct input *input, uint64_t stop, symbol *symbols,
                                    size_t room, const bool is_tail)
{
    struct match found = parser->found;
    uint64_t position = parser->position;
    size_t count = 0;

    while (position < stop && count < room) {
        const uint8_t *here = input->bytes + (position - input->start);
        if (found.length == 0)
            found = search_at(parser, input, position, MIN_MATCH - 1, is_tail);
        if (found.length >= MIN_MATCH && found.length < MAX_LAZY) {
            const struct match next = search_at(parser, input, position + 1, found.length, is_tail);
            if (next.length > found.length) {
                symbols[count++] = *here;
                position++;
                found = next;
                continue;
            }
        }
        if (found.length >= MIN_MATCH) {
            symbols[count++] = match_symbol(found);
            position += found.length;
        } else {
            symbols[count++] = *here;
            position++;
        }
        found.length = 0;
    }
    parser->found = found;
    parser->position = position;
    return count;
}

static size_t parse_body(struct parser *parser, const struct input *input, uint64_t stop, symbol *symbols, size_t room)
{
    return parse_inserted(parser, input, stop, symbols, room, false);
}

static size_t parse_tail(struct parser *parser, const struct input *input, uint64_t stop, symbol *symbols, size_t room)
{
    return parse_inserted(parser, input, stop, symbols, room, true);
}

static inline uint64_t smaller(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/* Append the symbols that start before `stop`, as far as the input allows, at most `room`; return their number.
 * A parse that is not final ends where fewer than PADDING bytes follow. */
static size_t parse(struct parser *parser, const struct input *input, uint64_t stop, symbol *symbols, size_t room)
{
    const uint64_t size = input->end - input->start;
    const uint64_t body = size > PADDING ? input->end - PADDING : input->start;
    size_t count = 0;
    while (count < room && parser->position < stop) {
        if (parser->position < body) {
            const uint64_t ahead = smaller(parser->position + INSERT_BLOCK, body + AHEAD);
            insert_until(parser, input, ahead);
            count += parse_body(parser, input, smaller(ahead - AHEAD, stop), symbols + count, room - count);
        } else if (input->is_final && parser->position < input->end) {
            insert_until(parser, input, input->end);
            count += parse_tail(parser, input, smaller(input->end, stop), symbols + count, room - count);
        } else {
            break;
        }
    }
    return count;
}

/* ---- Blocks ------------------------------------------------------------------------------------------- */

enum {
    LITERAL_CODES = 286,
    FIXED_LITERAL_CODES = 288,
    DISTANCE_CODES = 30,
    LENGTH_CODES = 19, /* of the code length alphabet */
    END_OF_BLOCK = 256,
    FIRST_LENGTH = 257,
    MAX_BITS = 15,
    LENGTH_MAX_BITS = 7,
    REPEAT_PREVIOUS = 16, /* 3 to 6 times */
    REPEAT_ZERO = 17,     /* 3 to 10 times */
    REPEAT_ZERO_LONG = 18 /* 11 to 138 times */
};

static const uint8_t length_order[LENGTH_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
static const uint8_t length_extra[LENGTH_CODES] = {[REPEAT_PREVIOUS] = 2, [REPEAT_ZERO] = 3, [REPEAT_ZERO_LONG] = 7};

/* Extra bits of a length code (257 on) and of a distance code. */
static unsigned match_extra(unsigned code)
{
    return code < 8 || code == 28 ? 0 : (code - 4) >> 2;
}

static unsigned distance_extra(unsigned code)
{
    return code < 4 ? 0 : (code - 2) >> 1;
}

/* The length code, from 0, of a length - MIN_MATCH. */
static inline unsigned length_code(unsigned length)
{
    if (length < 8)
        return length;
    if (length == MAX_MATCH - MIN_MATCH)
        return 28;
    const unsigned log = 31 - (unsigned)__builtin_clz(length);
    return 4 * (log - 1) + (length >> (log - 2) & 3);
}

/* The distance code of a distance - 1. */
static inline unsigned distance_code(unsigned distance)
{
    if (distance < 4)
        return distance;
    const unsigned log = 31 - (unsigned)__builtin_clz(distance);
    return 2 * log + (distance >> (log - 1) & 1);
}

/* The first value of a length code (less MIN_MATCH) and of a distance code (less 1). */
static unsigned length_base(unsigned code)
{
    if (code < 8)
        return code;
    return code == 28 ? MAX_MATCH - MIN_MATCH : (4 + (code & 3)) << match_extra(code);
}

static unsigned distance_base(unsigned code)
{
    return code < 4 ? code : (2 + (code & 1)) << distance_extra(code);
}

/* The code of one alphabet for one block. */
struct code {
    uint32_t frequency[FIXED_LITERAL_CODES];
    uint8_t bits[FIXED_LITERAL_CODES];
    uint16_t word[FIXED_LITERAL_CODES]; /* first bit lowest */
    unsigned used;                      /* the number of the highest used value, and 1 */
};

/* zlib's heap: the nodes by frequency, then by depth. The order of equal nodes decides the lengths. */
struct heap {
    uint32_t frequency[2 * LITERAL_CODES];
    uint16_t parent[2 * LITERAL_CODES];
    uint8_t depth[2 * LITERAL_CODES];
    uint16_t node[2 * LITERAL_CODES + 1];
    unsigned size;
};

static inline bool comes_first(const struct heap *heap, unsigned one, unsigned other)
{
    return heap->frequency[one] < heap->frequency[other] ||
           (heap->frequency[one] == heap->frequency[other] && heap->depth[one] <= heap->depth[other]);
}

static void sift_down(struct heap *heap, unsigned at)
{
    const uint16_t node = heap->node[at];
    for (unsigned child = 2 * at; child <= heap->size; child = 2 * at) {
        if (child < heap->size && comes_first(heap, heap->node[child + 1], heap->node[child]))
            child++;
        if (comes_first(heap, node, heap->node[child]))
            break;
        heap->node[at] = heap->node[child];
        at = child;
    }
    heap->node[at] = node;
}

/* Shorten codes longer than max_bits as gen_bitlen does. `order` has the nodes by descending depth from the end. */
static void repair_overflow(struct code *code, const uint16_t *order, size_t order_size, unsigned *count, int overflow,
                            unsigned max_bits)
{
    for (; overflow > 0; overflow -= 2) {
        unsigned bits = max_bits - 1;
        while (count[bits] == 0)
            bits--;
        count[bits]--;
        count[bits + 1] += 2;
        count[max_bits]--;
    }
    for (unsigned bits = max_bits; bits != 0; bits--) {
        for (unsigned left = count[bits]; left != 0;) {
            const unsigned node = order[--order_size];
            if (node < code->used) {
                code->bits[node] = (uint8_t)bits;
                left--;
            }
        }
    }
}

/* RFC 1951, 3.2.2: words in order of length and value. */
static void assign_words(struct code *code, const unsigned *count)
{
    unsigned next[MAX_BITS + 1], word = 0;
    for (unsigned bits = 1; bits <= MAX_BITS; bits++)
        next[bits] = word = (word + (bits > 1 ? count[bits - 1] : 0)) << 1;
    for (unsigned value = 0; value < code->used; value++) {
        const unsigned bits = code->bits[value];
        unsigned reversed = 0;
        if (bits == 0)
            continue;
        for (unsigned bit = 0, from = next[bits]++; bit < bits; bit++, from >>= 1)
            reversed = reversed << 1 | (from & 1);
        code->word[value] = (uint16_t)reversed;
    }
}

/* Build zlib's Huffman code for the frequencies of `values` values. Values that have to be added because a code needs
 * two get the frequency 1 here and 0 in code->frequency. */
static void build_code(struct code *code, unsigned values, unsigned max_bits)
{
    struct heap heap = {.size = 0};
    uint16_t order[2 * LITERAL_CODES + 1];
    unsigned count[MAX_BITS + 1] = {0};
    uint8_t bits_of[2 * LITERAL_CODES];
    size_t order_size = 0, first = sizeof order / sizeof *order;
    unsigned node = values;
    int overflow = 0;

    code->used = 0;
    memset(code->bits, 0, sizeof code->bits);
    for (unsigned value = 0; value < values; value++) {
        heap.frequency[value] = code->frequency[value];
        if (code->frequency[value] != 0) {
            heap.node[++heap.size] = (uint16_t)value;
            code->used = value + 1;
        }
    }
    while (heap.size < 2) { /* zlib: the distance code has two values even if no match uses it */
        const unsigned value = code->used < 3 ? code->used++ : 0;
        heap.node[++heap.size] = (uint16_t)value;
        heap.frequency[value] = 1;
    }
    for (unsigned at = heap.size / 2; at >= 1; at--)
        sift_down(&heap, at);
    while (heap.size >= 2) {
        const uint16_t least = heap.node[1];
        heap.node[1] = heap.node[heap.size--];
        sift_down(&heap, 1);
        const uint16_t second = heap.node[1];
        order[--first] = least;
        order[--first] = second;
        heap.frequency[node] = heap.frequency[least] + heap.frequency[second];
        heap.depth[node] = (uint8_t)((heap.depth[least] >= heap.depth[second] ? heap.depth[least] : heap.depth[second]) + 1);
        heap.parent[least] = heap.parent[second] = (uint16_t)node;
        heap.node[1] = (uint16_t)node++;
        sift_down(&heap, 1);
    }
    order[--first] = heap.node[1];
    order_size = sizeof order / sizeof *order - first;
    bits_of[order[first]] = 0;
    for (size_t i = 1; i < order_size; i++) {
        const unsigned child = order[first + i];
        unsigned bits = bits_of[heap.parent[child]] + 1u;
        if (bits > max_bits) {
            bits = max_bits;
            overflow++;
        }
        bits_of[child] = (uint8_t)bits;
        if (child < values) {
            code->bits[child] = (uint8_t)bits;
            count[bits]++;
        }
    }
    if (overflow > 0)
        repair_overflow(code, order + first, order_size, count, overflow, max_bits);
    assign_words(code, count);
}

/* The run-length code of the code lengths, RFC 1951, 3.2.7. */
struct run {
    uint8_t value, extra;
};

struct header {
    struct code lengths;
    struct run runs[LITERAL_CODES + DISTANCE_CODES];
    unsigned run_count;
    unsigned sent; /* how many lengths of the code of lengths are sent */
};

static void add_run(struct header *header, unsigned value, unsigned extra)
{
    header->runs[header->run_count++] = (struct run){.value = (uint8_t)value, .extra = (uint8_t)extra};
    header->lengths.frequency[value]++;
}

/* zlib's scan_tree: a run is cut at its greatest length and does not cross from literals to distances. */
static void add_runs(struct header *header, const struct code *code)
{
    for (unsigned at = 0, previous = 256; at < code->used;) {
        const unsigned bits = code->bits[at];
        const unsigned longest = bits == 0 ? 138 : bits == previous ? 6 : 7;
        const unsigned shortest = bits != 0 && bits != previous ? 4 : 3;
        unsigned count = 1;
        while (count < longest && at + count < code->used && code->bits[at + count] == bits)
            count++;
        at += count;
        if (count < shortest) {
            while (count-- > 0)
                add_run(header, bits, 0);
        } else if (bits != 0) {
            if (bits != previous) {
                add_run(header, bits, 0);
                count--;
            }
            add_run(header, REPEAT_PREVIOUS, count - 3);
        } else if (count <= 10) {
            add_run(header, REPEAT_ZERO, count - 3);
        } else {
            add_run(header, REPEAT_ZERO_LONG, count - 11);
        }
        previous = bits;
    }
}

/* The output, bit by bit, lowest first. */
struct output {
    uint8_t *bytes;
    size_t size, room;
    uint64_t pending;
    unsigned pending_bits; /* fewer than 8 between calls of put_bits */
};

/* Append up to 56 bits; the caller has reserved room for 8 bytes. */
static inline void put_bits(struct output *output, uint64_t value, unsigned bits)
{
    output->pending |= value << output->pending_bits;
    memcpy(output->bytes + output->size, &output->pending, sizeof output->pending);
    output->pending_bits += bits;
    output->size += output->pending_bits >> 3;
    output->pending >>= output->pending_bits & ~7u;
    output->pending_bits &= 7;
}

static void fill_byte(struct output *output)
{
    if (output->pending_bits > 0)
        put_bits(output, 0, 8 - output->pending_bits);
}

/* One block: its symbols, and the bytes that they stand for. */
struct block {
    const symbol *symbols;
    size_t symbol_count;
    const uint8_t *bytes; /* NULL if a stored block is not possible */
    size_t size;
    bool is_last;
};

/* A block in work; large, so it belongs to the encoder. */
struct encoder {
    struct code literals, distances, fixed_literals, fixed_distances;
    struct header header;
    uint32_t length_words[MAX_MATCH - MIN_MATCH + 1];
    uint8_t length_bits[MAX_MATCH - MIN_MATCH + 1];
    struct output output;
};

static void start_encoder(struct encoder *encoder)
{
    unsigned count[MAX_BITS + 1] = {[7] = 24, [8] = 152, [9] = 112};
    memset(encoder, 0, sizeof *encoder);
    for (unsigned value = 0; value < FIXED_LITERAL_CODES; value++)
        encoder->fixed_literals.bits[value] = value < 144 ? 8 : value < 256 ? 9 : value < 280 ? 7 : 8;
    encoder->fixed_literals.used = FIXED_LITERAL_CODES;
    assign_words(&encoder->fixed_literals, count);
    memset(count, 0, sizeof count);
    memset(encoder->fixed_distances.bits, 5, DISTANCE_CODES);
    encoder->fixed_distances.used = DISTANCE_CODES;
    assign_words(&encoder->fixed_distances, count);
}

static void count_symbols(struct encoder *encoder, const struct block *block)
{
    uint32_t *literals = encoder->literals.frequency, *distances = encoder->distances.frequency;
    memset(literals, 0, sizeof encoder->literals.frequency);
    memset(distances, 0, sizeof encoder->distances.frequency);
    for (size_t i = 0; i < block->symbol_count; i++) {
        const symbol symbol = block->symbols[i];
        if (symbol >> 16 == 0) {
            literals[symbol]++;
        } else {
            literals[FIRST_LENGTH + length_code(symbol & 0xff)]++;
            distances[distance_code((symbol >> 16) - 1)]++;
        }
    }
    literals[END_OF_BLOCK] = 1;
}

/* The number of bits of the symbols of a block in these codes. */
static uint64_t coded_bits(const struct encoder *encoder, const struct code *literals, const struct code *distances)
{
    uint64_t bits = 0;
    for (unsigned value = 0; value < LITERAL_CODES; value++) {
        const unsigned extra = value < FIRST_LENGTH ? 0 : match_extra(value - FIRST_LENGTH);
        bits += (uint64_t)encoder->literals.frequency[value] * (literals->bits[value] + extra);
    }
    for (unsigned value = 0; value < DISTANCE_CODES; value++)
        bits += (uint64_t)encoder->distances.frequency[value] * (distances->bits[value] + distance_extra(value));
    return bits;
}

/* Build the header of a dynamic block; return its bits without the three of every block. */
static uint64_t build_header(struct header *header, const struct code *literals, const struct code *distances)
{
    uint64_t bits = 5 + 5 + 4;
    memset(header->lengths.frequency, 0, sizeof header->lengths.frequency);
    header->run_count = 0;
    add_runs(header, literals);
    add_runs(header, distances);
    build_code(&header->lengths, LENGTH_CODES, LENGTH_MAX_BITS);
    for (header->sent = LENGTH_CODES; header->sent > 4; header->sent--)
        if (header->lengths.bits[length_order[header->sent - 1]] != 0)
            break;
    bits += 3 * (uint64_t)header->sent;
    for (unsigned value = 0; value < LENGTH_CODES; value++)
        bits += (uint64_t)header->lengths.frequency[value] * (header->lengths.bits[value] + length_extra[value]);
    return bits;
}

static void put_header(struct output *output, const struct header *header, const struct code *literals,
                       const struct code *distances)
{
    put_bits(output, literals->used - 257, 5);
    put_bits(output, distances->used - 1, 5);
    put_bits(output, header->sent - 4, 4);
    for (unsigned i = 0; i < header->sent; i++)
        put_bits(output, header->lengths.bits[length_order[i]], 3);
    for (unsigned i = 0; i < header->run_count; i++) {
        const struct run run = header->runs[i];
        put_bits(output, header->lengths.word[run.value], header->lengths.bits[run.value]);
        put_bits(output, run.extra, length_extra[run.value]);
    }
}

static void put_symbols(struct encoder *encoder, const struct block *block, const struct code *literals,
                        const struct code *distances)
{
    struct output output = encoder->output; /* a copy, so that the bits stay in registers */
    for (unsigned length = 0; length <= MAX_MATCH - MIN_MATCH; length++) {
        const unsigned code = length_code(length), bits = literals->bits[FIRST_LENGTH + code];
        encoder->length_words[length] = literals->word[FIRST_LENGTH + code] | (length - length_base(code)) << bits;
        encoder->length_bits[length] = (uint8_t)(bits + match_extra(code));
    }
    for (size_t i = 0; i < block->symbol_count; i++) {
        const symbol symbol = block->symbols[i];
        if (symbol >> 16 == 0) {
            put_bits(&output, literals->word[symbol], literals->bits[symbol]);
            continue;
        }
        const unsigned length = symbol & 0xff, distance = (symbol >> 16) - 1, code = distance_code(distance);
        uint64_t value = encoder->length_words[length];
        unsigned bits = encoder->length_bits[length];
        value |= (uint64_t)distances->word[code] << bits;
        bits += distances->bits[code];
        value |= (uint64_t)(distance - distance_base(code)) << bits;
        put_bits(&output, value, bits + distance_extra(code));
    }
    put_bits(&output, literals->word[END_OF_BLOCK], literals->bits[END_OF_BLOCK]);
    encoder->output = output;
}

static void put_stored(struct output *output, const struct block *block)
{
    const uint32_t size = (uint32_t)block->size;
    put_bits(output, block->is_last, 3);
    fill_byte(output);
    put_bits(output, size | (~size & 0xffff) << 16, 32);
    memcpy(output->bytes + output->size, block->bytes, block->size);
    output->size += block->size;
}

/* Make room for a block: at most 48 bits a symbol, a header, or the stored bytes. */
static bool reserve(struct output *output, const struct block *block)
{
    const size_t needed = output->size + 6 * block->symbol_count + block->size + 1024;
    if (needed <= output->room)
        return true;
    uint8_t *bytes = realloc(output->bytes, 2 * needed);
    if (bytes == NULL)
        return false;
    output->bytes = bytes;
    output->room = 2 * needed;
    return true;
}

/* Append a block in the form that zlib chooses (_tr_flush_block); false if there is no memory. */
static bool put_block(struct encoder *encoder, const struct block *block)
{
    struct output *output = &encoder->output;
    const struct code *literals = &encoder->literals, *distances = &encoder->distances;
    const struct code *fixed_literals = &encoder->fixed_literals, *fixed_distances = &encoder->fixed_distances;

    if (!reserve(output, block))
        return false;
    count_symbols(encoder, block);
    build_code(&encoder->literals, LITERAL_CODES, MAX_BITS);
    build_code(&encoder->distances, DISTANCE_CODES, MAX_BITS);
    const uint64_t dynamic_bits = build_header(&encoder->header, literals, distances) +
                                  coded_bits(encoder, literals, distances);
    const uint64_t fixed_size = (coded_bits(encoder, fixed_literals, fixed_distances) + 3 + 7) >> 3;
    uint64_t size = (dynamic_bits + 3 + 7) >> 3;
    const bool is_fixed = fixed_size <= size;
    if (is_fixed)
        size = fixed_size;
    if (block->bytes != NULL && block->size + 4 <= size) {
        put_stored(output, block);
    } else if (is_fixed) {
        put_bits(output, 1u << 1 | block->is_last, 3);
        put_symbols(encoder, block, fixed_literals, fixed_distances);
    } else {
        put_bits(output, 2u << 1 | block->is_last, 3);
        put_header(output, &encoder->header, literals, distances);
        put_symbols(encoder, block, literals, distances);
    }
    if (block->is_last)
        fill_byte(output);
    return true;
}

/* The first position in zlib's window after the search at `position`: a block that starts before it cannot be stored.
 * zlib slides when fewer than MIN_LOOKAHEAD bytes are ahead: at FIRST_SLIDE + 1, or at FIRST_SLIDE if the
 * input ends there. */
static uint64_t window_start(uint64_t position, uint64_t left)
{
    const uint64_t first = FIRST_SLIDE + (left < MIN_LOOKAHEAD ? 0 : 1);
    return position < first ? 0 : ((position - first) / WINDOW_SIZE + 1) * WINDOW_SIZE;
}

/* ---- Stream ------------------------------------------------------------------------------------------- */

enum { BUFFER_SIZE = 4 * 65536 };

struct exact_deflate {
    struct parser parser;
    struct encoder encoder;
    symbol symbols[BLOCK_SYMBOLS];
    size_t symbol_count;
    uint64_t block_start, position; /* where the block starts, and where its symbols end */
    bool is_finished, is_after_match; /* whether the last symbol is a match, or there is none */
    struct input input;
    uint8_t buffer[BUFFER_SIZE + PADDING];
};

API void exact_deflate_free(struct exact_deflate *stream)
{
    if (stream == NULL)
        return;
    free(stream->encoder.output.bytes);
    free(stream);
}

API struct exact_deflate *exact_deflate_new(void)
{
    struct exact_deflate *stream = malloc(sizeof *stream);
    if (stream == NULL)
        return NULL;
    start_parser(&stream->parser, 0, 0);
    start_encoder(&stream->encoder);
    stream->symbol_count = 0;
    stream->block_start = stream->position = 0;
    stream->is_finished = false;
    stream->is_after_match = true;
    stream->input = (struct input){.bytes = stream->buffer, .start = 0, .end = 0, .is_final = false};
    memset(stream->buffer, 0, sizeof stream->buffer);
    return stream;
}

/* Write the symbols so far as a block. `search`: the position of zlib's last search before it. */
static bool end_block(struct exact_deflate *stream, uint64_t search, bool is_last)
{
    const struct input *input = &stream->input;
    const uint64_t left = input->is_final ? input->end - search : MIN_LOOKAHEAD;
    const bool can_store = stream->block_start >= window_start(search, left);
    const struct block block = {
        .symbols = stream->symbols,
        .symbol_count = stream->symbol_count,
        .bytes = can_store ? input->bytes + (stream->block_start - input->start) : NULL,
        .size = (size_t)(stream->position - stream->block_start),
        .is_last = is_last,
    };
    stream->symbol_count = 0;
    stream->block_start = stream->position;
    return put_block(&stream->encoder, &block);
}

/* Write the symbols so far as a block if they are enough for one. */
static bool end_full_block(struct exact_deflate *stream)
{
    if (stream->symbol_count < BLOCK_SYMBOLS)
        return true;
    const symbol last = stream->symbols[BLOCK_SYMBOLS - 1];
    /* zlib writes a literal at the end of the input without a look at the number of symbols. */
    if (stream->input.is_final && stream->position == stream->input.end && last >> 16 == 0)
        return true;
    return end_block(stream, stream->position - symbol_length(last) + 1, false);
}

/* Parse what is in the buffer, and write the blocks that are complete. */
static bool compress_buffer(struct exact_deflate *stream)
{
    for (;;) {
        const size_t room = BLOCK_SYMBOLS - stream->symbol_count;
        const size_t count = parse(&stream->parser, &stream->input, UINT64_MAX, stream->symbols + stream->symbol_count, room);
        stream->symbol_count += count;
        stream->position = stream->parser.position;
        if (!end_full_block(stream))
            return false;
        if (count < room || stream->symbol_count == BLOCK_SYMBOLS)
            return true;
    }
}

/* Drop bytes that no match and no stored block needs. The start stays a multiple of 65536. */
static void slide_buffer(struct exact_deflate *stream)
{
    struct input *input = &stream->input;
    if (stream->parser.position - input->start < HISTORY + BUFFER_SIZE / 2)
        return;
    memmove(stream->buffer, stream->buffer + BUFFER_SIZE / 2, (size_t)(input->end - input->start) - BUFFER_SIZE / 2);
    input->start += BUFFER_SIZE / 2;
}

/* Results of a call. */
enum { DONE = 0, FINISHED = -1, NO_MEMORY = -2 };

/* Compress more input. */
API int exact_deflate_compress(struct exact_deflate *stream, const uint8_t *bytes, size_t size)
{
    struct input *input = &stream->input;
    if (stream->is_finished)
        return FINISHED;
    while (size > 0) {
        slide_buffer(stream);
        const size_t used = (size_t)(input->end - input->start);
        const size_t piece = size < BUFFER_SIZE - used ? size : BUFFER_SIZE - used;
        memcpy(stream->buffer + used, bytes, piece);
        input->end += piece;
        bytes += piece;
        size -= piece;
        if (!compress_buffer(stream)) {
            stream->is_finished = true;
            return NO_MEMORY;
        }
    }
    return DONE;
}

/* Write what is left. */
API int exact_deflate_finish(struct exact_deflate *stream)
{
    if (stream->is_finished)
        return FINISHED;
    memset(stream->buffer + (stream->input.end - stream->input.start), 0, PADDING);
    stream->input.is_final = true;
    stream->is_finished = true;
    if (!compress_buffer(stream) || !end_block(stream, stream->input.end, true))
        return NO_MEMORY;
    return DONE;
}

/* Return the output since the last call, which is valid until the next call of any function. */
API const uint8_t *exact_deflate_output(struct exact_deflate *stream, size_t *size)
{
    struct output *output = &stream->encoder.output;
    *size = output->size;
    output->size = 0;
    return output->bytes;
}

/* ---- Segments: one stream on several threads ------------------------------------------------------------
 *
 * A segment is parsed as if the previous one ended with a match at its start. Then the parse of the previous segment runs
 * on, until both are just after a match at the same position. From there they are the same parse, because a
 * search depends on the data, the position, and the match one byte before, and after a match there is none.
 */

struct segment {
    struct parser parser;
    struct input input;
    uint64_t start, stop;
    size_t symbol_count;
    symbol symbols[]; /* at most one for each byte */
};

API void exact_deflate_free_segment(struct segment *segment)
{
    free(segment);
}

/* Parse a segment: `size` bytes after `history` bytes, at a position. `following` bytes are the next ones; if the stream ends
 * after the segment, there are none. PADDING bytes can be read after them. Any thread may call this. */
API struct segment *exact_deflate_parse(const uint8_t *bytes, size_t history, size_t size, size_t following,
                                        uint64_t position, int is_final)
{
    struct segment *segment = malloc(sizeof *segment + size * sizeof(symbol));
    if (segment == NULL)
        return NULL;
    segment->input = (struct input){
        .bytes = bytes, .start = position - history, .end = position + size + following, .is_final = is_final != 0};
    segment->start = position;
    segment->stop = position + size;
    start_parser(&segment->parser, position > WINDOW_SIZE ? position - WINDOW_SIZE : 0, position);
    segment->symbol_count = parse(&segment->parser, &segment->input, segment->stop, segment->symbols, size);
    return segment;
}

/* Append a symbol to the stream. */
static bool add_symbol(struct exact_deflate *stream, symbol symbol)
{
    stream->symbols[stream->symbol_count++] = symbol;
    stream->position += symbol_length(symbol);
    return end_full_block(stream);
}

/* Continue the parse of the stream into a segment, until both parses are just after a match at the same position, or
 * to the end of the segment. Return the number of the segment's symbol that comes next. */
static bool run_on(struct exact_deflate *stream, const struct segment *segment, size_t *next)
{
    uint64_t other = segment->start;
    bool is_after_match = stream->is_after_match, is_other_after_match = true;

    *next = 0;
    while (stream->position < segment->stop) {
        while (other < stream->position && *next < segment->symbol_count) {
            const symbol symbol = segment->symbols[(*next)++];
            other += symbol_length(symbol);
            is_other_after_match = symbol >> 16 != 0;
        }
        if (other == stream->position && is_after_match && is_other_after_match)
            return true;
        symbol symbol;
        if (parse(&stream->parser, &segment->input, segment->stop, &symbol, 1) == 0)
            break;
        is_after_match = symbol >> 16 != 0;
        if (!add_symbol(stream, symbol))
            return false;
    }
    *next = segment->symbol_count;
    stream->is_after_match = is_after_match;
    return true;
}

/* Append a segment to the stream, and finish the stream if it is the last one. The segments come in order. */
API int exact_deflate_join(struct exact_deflate *stream, const struct segment *segment)
{
    size_t next;
    if (stream->is_finished)
        return FINISHED;
    stream->input = segment->input;
    if (!run_on(stream, segment, &next))
        return NO_MEMORY;
    const bool is_met = stream->position < segment->stop;
    for (; next < segment->symbol_count; next++) {
        if (!add_symbol(stream, segment->symbols[next]))
            return NO_MEMORY;
        stream->is_after_match = segment->symbols[next] >> 16 != 0;
    }
    if (is_met)
        stream->parser = segment->parser;
    if (!segment->input.is_final)
        return DONE;
    stream->is_finished = true;
    return end_block(stream, stream->input.end, true) ? DONE : NO_MEMORY;
}
