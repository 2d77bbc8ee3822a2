// SPDX-License-Identifier: MIT
// Bytes are copied into a window, and cells are slices of it. Two nested loops do the work:
//
//   scan()  takes 64 bytes at a time and makes a bit mask of those that can matter (separator,
//           quote, CR, LF, NUL), in a form that compilers turn into vector compares;
//   event() is called for each of these and moves a small state machine.
//
// So the cost of plain text is a few instructions per 64 bytes. A byte that matters is looked at
// once, whatever the borders of the chunks, except in the first record: it is gathered whole before
// the separator is chosen. When the window is full the unfinished record moves to its front.
//
// Doubled quotes are folded in place when their cell ends. UTF-8 is checked per cell, only in
// records that touch a block with a byte above ASCII.

#include "engine/table/csv.h"

#include "engine/base/utf8.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { BLOCK = 64, FEED = 64 << 10, WINDOW = CSV_MAX_RECORD + FEED };

static const char SEPARATOR[] = {',', ';', '\t', '|'}; // the first of equals wins
enum { SEPARATORS = sizeof SEPARATOR };
static const char BOM[] = {'\xEF', '\xBB', '\xBF'};

enum where { IN_PLAIN, IN_QUOTES, AFTER_QUOTES };

// What is known of the first record while it is gathered.
struct opening {
    size_t count[SEPARATORS]; // outside quotes
    bool quoted;              // within quotes
    bool text;                // the cell has begun, so a quote is an ordinary character
    bool some;                // the line is not blank
};

struct csv {
    csv_record *record;
    void *to;
    char separator; // 0 until the first record is complete
    enum where where;
    size_t at, end;     // of the window: scanned up to, filled up to
    size_t start;       // of the record
    size_t cell_start;  // of the cell; past the opening quote in a quoted one
    size_t quote;       // the latest closing quote
    size_t cr;          // one past the latest CR: an LF there belongs to it
    size_t line;        // line that is being read
    size_t record_line; // line where the record started
    size_t quote_line;  // line where the open quote stands
    size_t n, n_column; // cells of this record so far, cells of the first record
    struct opening opening;
    bool doubled; // the cell has doubled quotes
    bool wide;    // the record may have bytes above ASCII
    struct csv_cell cell[CSV_MAX_COLUMNS];
    char window[WINDOW + BLOCK];
};

// A mapping of its own: it is large, a short table touches little of it, and after hundreds of
// uploads at a time the C library would keep what it has freed.
struct csv *csv_new(csv_record *record, void *to)
{
    struct csv *p =
        mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    p->record = record;
    p->to = to;
    p->line = p->record_line = 1;
    p->cr = SIZE_MAX;
    return p;
}

size_t csv_memory(void)
{
    return sizeof(struct csv);
}

void csv_free(struct csv *p)
{
    if (p)
        munmap(p, sizeof *p);
}

static bool too_long(const struct csv *p, struct err *e)
{
    return fail(e, ERR_TOO_LARGE, "line %zu: the record is longer than %d bytes", p->record_line,
                CSV_MAX_RECORD);
}

static bool blank(const struct csv *p, size_t from, size_t to)
{
    while (from < to && p->window[from] == ' ')
        from++;
    return from == to;
}

// "" becomes " within the cell; returns the new length.
static size_t csv_fold(char *s, size_t len)
{
    size_t to = 0;
    for (size_t from = 0; from < len; from++) {
        s[to++] = s[from];
        from += s[from] == '"';
    }
    return to;
}

static struct csv_cell plain_cell(const struct csv *p, size_t end)
{
    const char *s = p->window + p->cell_start, *e = p->window + end;
    while (s < e && *s == ' ')
        s++;
    while (e > s && e[-1] == ' ')
        e--;
    return (struct csv_cell){.text = s, .len = (size_t)(e - s)};
}

static struct csv_cell quoted_cell(struct csv *p)
{
    char *s = p->window + p->cell_start;
    size_t len = p->quote - p->cell_start;
    if (p->doubled)
        len = csv_fold(s, len);
    p->doubled = false;
    return (struct csv_cell){.text = s, .len = len, .quoted = true};
}

static bool cell_end(struct csv *p, size_t at, struct err *e)
{
    if (p->n == CSV_MAX_COLUMNS)
        return fail(e, ERR_TOO_LARGE, "line %zu has more than %d columns", p->record_line,
                    CSV_MAX_COLUMNS);
    if (p->where == AFTER_QUOTES && !blank(p, p->quote + 1, at))
        return fail(e, ERR_INVALID, "line %zu: text after a closing quote", p->line);
    p->cell[p->n++] = p->where == IN_PLAIN ? plain_cell(p, at) : quoted_cell(p);
    p->where = IN_PLAIN;
    p->cell_start = at + 1;
    return true;
}

static bool all_utf8(const struct csv *p, struct err *e)
{
    for (size_t i = 0; i < p->n; i++)
        if (!utf8_valid(p->cell[i].text, p->cell[i].len))
            return fail(e, ERR_INVALID, "line %zu is not valid UTF-8 (column %zu)", p->record_line,
                        i + 1);
    return true;
}

static bool check_record(struct csv *p, struct err *e)
{
    if (!p->n_column)
        p->n_column = p->n;
    if (p->n != p->n_column)
        return fail(e, ERR_INVALID, "line %zu has %zu cell%s where the first has %zu",
                    p->record_line, p->n, p->n == 1 ? "" : "s", p->n_column);
    return !p->wide || all_utf8(p, e);
}

static bool record_end(struct csv *p, size_t at, struct err *e)
{
    if (!cell_end(p, at, e))
        return false;
    bool skip = p->n == 1 && !p->cell[0].len && !p->cell[0].quoted;
    if (!skip && !(check_record(p, e) && p->record(p->to, p->cell, p->n, p->record_line, e)))
        return false;
    p->n = 0;
    p->start = at + 1;
    return true;
}

// A line ends at `at`, which holds LF or CR (at the end of everything, a made-up LF).
static bool csv_line_end(struct csv *p, size_t at, struct err *e)
{
    bool second = p->window[at] == '\n' && p->cr == at, open = p->where == IN_QUOTES;
    p->cr = p->window[at] == '\r' ? at + 1 : SIZE_MAX;
    if (second && !open)
        p->start = p->cell_start = at + 1;
    else if (!open && !record_end(p, at, e))
        return false;
    p->line += !second;
    if (!open)
        p->record_line = p->line;
    return true;
}

static void quote(struct csv *p, size_t at)
{
    if (p->where == IN_QUOTES) {
        p->where = AFTER_QUOTES;
        p->quote = at;
    } else if (p->where == AFTER_QUOTES && at == p->quote + 1) {
        p->where = IN_QUOTES;
        p->doubled = true;
    } else if (p->where == IN_PLAIN && blank(p, p->cell_start, at)) {
        p->where = IN_QUOTES;
        p->cell_start = at + 1;
        p->quote_line = p->line;
    }
}

static bool event(struct csv *p, size_t at, struct err *e)
{
    char c = p->window[at];
    if (at - p->start > CSV_MAX_RECORD)
        return too_long(p, e);
    if (c == p->separator)
        return p->where == IN_QUOTES || cell_end(p, at, e);
    if (c == '"')
        return quote(p, at), true;
    if (c == '\0')
        return fail(e, ERR_INVALID, "line %zu: a NUL byte (is this UTF-16 or a binary file?)",
                    p->line);
    return csv_line_end(p, at, e);
}

struct block {
    uint64_t special, wide; // bit i stands for byte i
};

// Eight bytes of 0 or 1 become eight bits.
static uint64_t gather(const unsigned char *flag)
{
    uint64_t bits = 0;
    for (int i = 0; i < BLOCK / 8; i++) {
        uint64_t eight;
        memcpy(&eight, flag + (size_t)i * 8, 8);
        bits |= (le64toh(eight) * UINT64_C(0x0102040810204080) >> 56) << (i * 8);
    }
    return bits;
}

static struct block classify(const char *s, char separator)
{
    unsigned char special[BLOCK], wide = 0;
    for (int i = 0; i < BLOCK; i++) {
        special[i] =
            (s[i] == separator) | (s[i] == '"') | (s[i] == '\n') | (s[i] == '\r') | (s[i] == '\0');
        wide |= (unsigned char)s[i] >> 7;
    }
    return (struct block){gather(special), wide};
}

static bool scan(struct csv *p, struct err *e)
{
    for (; p->at < p->end; p->at += BLOCK) {
        struct block b = classify(p->window + p->at, p->separator);
        if (p->end - p->at < BLOCK)
            b.special &= (UINT64_C(1) << (p->end - p->at)) - 1;
        p->wide |= b.wide;
        for (; b.special; b.special &= b.special - 1)
            if (!event(p, p->at + (size_t)__builtin_ctzll(b.special), e))
                return false;
        if (p->start > p->at)
            p->wide = b.wide;
    }
    p->at = p->end;
    return p->end - p->start <= CSV_MAX_RECORD || too_long(p, e);
}

static bool at_separator(struct opening *o, char c)
{
    const char *found = memchr(SEPARATOR, c, SEPARATORS);
    if (found)
        o->count[found - SEPARATOR]++;
    return found;
}

// One more byte of the first record; true when it is the line end that completes it.
static bool opening_byte(struct opening *o, char c)
{
    bool eol = c == '\n' || c == '\r';
    if (c == '"' && !o->text)
        o->quoted = !o->quoted;
    else if (!o->quoted && (eol || at_separator(o, c)))
        o->text = false;
    else if (!o->quoted && c != ' ')
        o->text = true;
    o->some |= !eol && c != ' ';
    return eol && o->some && !o->quoted;
}

static void choose_separator(struct csv *p)
{
    size_t best = 0;
    for (size_t i = 1; i < SEPARATORS; i++)
        if (p->opening.count[i] > p->opening.count[best])
            best = i;
    p->separator = SEPARATOR[best];
}

// Choose the separator as soon as the first record, or as much of it as may be, is there; then
// start over from its first byte. False while more bytes are needed.
static bool opened(struct csv *p, bool last)
{
    if (p->separator)
        return true;
    if (p->end < sizeof BOM && !last)
        return false;
    size_t begin = p->end >= sizeof BOM && !memcmp(p->window, BOM, sizeof BOM) ? sizeof BOM : 0;
    if (p->at < begin)
        p->at = begin;
    bool done = last;
    while (!done && p->at < p->end)
        done = opening_byte(&p->opening, p->window[p->at++]) || p->at > CSV_MAX_RECORD;
    if (!done)
        return false;
    choose_separator(p);
    p->at = p->start = p->cell_start = begin;
    return true;
}

// Move the unfinished record to the front of the window.
static void csv_make_room(struct csv *p)
{
    size_t by = p->start;
    memmove(p->window, p->window + by, p->end - by);
    for (size_t i = 0; i < p->n; i++)
        p->cell[i].text -= by;
    p->start = 0;
    p->at -= by;
    p->end -= by;
    p->cell_start -= by;
    p->quote -= by;
    p->cr -= p->cr == SIZE_MAX ? 0 : by;
}

bool csv_feed(struct csv *p, const char *bytes, size_t len, struct err *e)
{
    while (len) {
        if (p->start && p->end >= FEED)
            csv_make_room(p);
        size_t n = len < FEED ? len : FEED;
        memcpy(p->window + p->end, bytes, n);
        p->end += n;
        bytes += n;
        len -= n;
        if (opened(p, false) && !scan(p, e))
            return false;
    }
    return true;
}

bool csv_end(struct csv *p, struct err *e)
{
    opened(p, true);
    if (!scan(p, e))
        return false;
    if (p->where == IN_QUOTES)
        return fail(e, ERR_INVALID, "line %zu: a quote is opened here and never closed",
                    p->quote_line);
    p->window[p->end] = '\n';
    return event(p, p->end, e);
}
