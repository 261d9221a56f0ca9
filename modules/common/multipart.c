#include "multipart.h"

#include "parameters.h"
#include "text.h"

#include <apr_strings.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef enum {
    AT_START,    /* before the first boundary */
    IN_BODY,     /* in a part's data, or in the line end and boundary behind it */
    AT_BOUNDARY, /* behind a boundary: a line end or two hyphens follow */
    IN_HEADER,   /* in a part's header */
    AT_LAST_LINE /* behind the last boundary: nothing or a line end follows */
} place_e;

struct trestle_multipart_t {
    apr_pool_t *pool;
    const trestle_multipart_sink_t *sink;
    void *baton;
    const char *mistake;
    place_e place;
    char delimiter[TRESTLE_BOUNDARY_MAX + 5]; /* CR LF - - boundary */
    apr_size_t delimiter_length;
    apr_size_t matched; /* bytes of what is expected that have come: of the delimiter, or of what stands behind it */
    int led;            /* AT_START: 1 if the body began with a line end */
    int closing;        /* AT_BOUNDARY: 1 if the first byte behind it was a hyphen */
    trestle_part_t part;
    int disposed;            /* 1: the part's Content-Disposition was read */
    apr_size_t header_bytes; /* of this part so far */
    apr_size_t line_length;
    char line[TRESTLE_PART_HEADER_MAX + 1];
};

static int wrong(trestle_multipart_t *multipart, const char *mistake)
{
    multipart->mistake = mistake;
    return 0;
}

int trestle_boundary_is_valid(const char *boundary)
{
    apr_size_t n = strlen(boundary);

    return n > 0 && n <= TRESTLE_BOUNDARY_MAX && boundary[n - 1] != ' '
           && strspn(boundary, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'()+_,-./:=? ") == n;
}

trestle_multipart_t *trestle_multipart_make(apr_pool_t *pool, const char *boundary,
                                            const trestle_multipart_sink_t *sink, void *baton)
{
    trestle_multipart_t *multipart = apr_palloc(pool, sizeof(*multipart));
    apr_size_t n = strlen(boundary);

    memset(multipart, 0, offsetof(trestle_multipart_t, line));
    multipart->pool = pool;
    multipart->sink = sink;
    multipart->baton = baton;
    memcpy(multipart->delimiter, "\r\n--", 4);
    memcpy(multipart->delimiter + 4, boundary, n);
    multipart->delimiter_length = n + 4;
    multipart->matched = 2; /* the first boundary needs no line end before it */
    return multipart;
}

/* Text of a header that may be shown and stored: UTF-8 without control characters. */
static int is_text(const char *text)
{
    for (const char *s = text; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F)
            return 0;
    return trestle_utf8_valid(text, strlen(text));
}

/* Content-Disposition: form-data; name="…"; filename="…" (RFC 7578 section 4.2). */
static int read_disposition(trestle_multipart_t *multipart, const char *value)
{
    trestle_part_t *part = &multipart->part;
    apr_size_t n = trestle_token_length(value);
    const char *at = value + n, *name, *text;
    int more;

    if (multipart->disposed++)
        return wrong(multipart, "A part of the body has more than one Content-Disposition.");
    if (n != 9 || strncasecmp(value, "form-data", 9))
        return wrong(multipart, "A part of the body is not form-data.");
    while ((more = trestle_parameters_next(multipart->pool, &at, &name, &text)) == 1) {
        const char **target = !strcmp(name, "name") ? &part->name : !strcmp(name, "filename") ? &part->filename : NULL;

        if (name[strlen(name) - 1] == '*')
            return wrong(multipart, "A part of the body has a parameter such as filename*, which form-data must not "
                                    "have.");
        if (!target)
            continue;
        if (*target || !is_text(text))
            return wrong(multipart, "A part of the body has a malformed name or filename.");
        *target = text;
    }
    if (more < 0)
        return wrong(multipart, "A part of the body has a malformed Content-Disposition.");
    if (!part->name || !*part->name)
        return wrong(multipart, "A part of the body has no name.");
    return 1;
}

/* RFC 7578 section 4.7: encodings are deprecated; only those that change nothing are taken. */
static int is_identity(const char *encoding)
{
    return !strcasecmp(encoding, "binary") || !strcasecmp(encoding, "8bit") || !strcasecmp(encoding, "7bit");
}

/* One line of a part's header, without its line end. Other fields than these three are ignored (section 4.8). */
static int read_field(trestle_multipart_t *multipart, char *line, apr_size_t n)
{
    apr_size_t name_length;
    char *value, *end = line + n;

    line[n] = '\0';
    name_length = trestle_token_length(line);
    if (name_length == 0 || line[name_length] != ':' || memchr(line, '\0', n) || memchr(line, '\r', n))
        return wrong(multipart, "A part of the body has a malformed header.");
    line[name_length] = '\0';
    value = line + name_length + 1;
    value += strspn(value, " \t");
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    if (!strcasecmp(line, "Content-Disposition"))
        return read_disposition(multipart, value);
    if (!strcasecmp(line, "Content-Transfer-Encoding") && !is_identity(value))
        return wrong(multipart, "A part of the body has a Content-Transfer-Encoding; send it as it is.");
    if (!strcasecmp(line, "Content-Type")) {
        if (multipart->part.type || !is_text(value))
            return wrong(multipart, "A part of the body has a malformed Content-Type, or more than one.");
        multipart->part.type = apr_pstrdup(multipart->pool, value);
    }
    return 1;
}

/* A whole line of the header has come, its line feed included. The empty one ends the header. */
static int take_line(trestle_multipart_t *multipart)
{
    apr_size_t n = multipart->line_length;

    multipart->line_length = 0;
    if (n < 2 || multipart->line[n - 2] != '\r')
        return wrong(multipart, "A line in the header of a part does not end in CR LF.");
    if (n > 2)
        return read_field(multipart, multipart->line, n - 2);
    if (!multipart->disposed)
        return wrong(multipart, "A part of the body has no Content-Disposition.");
    multipart->place = IN_BODY;
    multipart->matched = 0;
    return multipart->sink->begin(multipart->baton, &multipart->part);
}

static int feed_header(trestle_multipart_t *multipart, const char **at, const char *end)
{
    while (*at < end && multipart->place == IN_HEADER) {
        const char *feed = memchr(*at, '\n', (apr_size_t)(end - *at));
        apr_size_t n = (apr_size_t)((feed ? feed + 1 : end) - *at);

        if (n > TRESTLE_PART_HEADER_MAX - multipart->header_bytes)
            return wrong(multipart, "The header of a part is too large.");
        memcpy(multipart->line + multipart->line_length, *at, n);
        multipart->line_length += n;
        multipart->header_bytes += n;
        *at += n;
        if (feed && !take_line(multipart))
            return 0;
    }
    return 1;
}

/* Two bytes behind a boundary: a line end before the next part, or two hyphens behind the last one. */
static int feed_boundary(trestle_multipart_t *multipart, const char **at)
{
    char c = *(*at)++;

    if (multipart->matched == 0) {
        multipart->closing = c == '-';
        multipart->matched = 1;
        return multipart->closing || c == '\r' ? 1 : wrong(multipart, "Something follows a boundary on its line.");
    }
    if (c != (multipart->closing ? '-' : '\n'))
        return wrong(multipart, "Something follows a boundary on its line.");
    multipart->matched = 0;
    if (multipart->closing) {
        multipart->place = AT_LAST_LINE;
        return 1;
    }
    multipart->place = IN_HEADER;
    multipart->part = (trestle_part_t){ NULL, NULL, NULL };
    multipart->disposed = 0;
    multipart->header_bytes = multipart->line_length = 0;
    return 1;
}

/* The delimiter has come whole. */
static int take_delimiter(trestle_multipart_t *multipart)
{
    int in_part = multipart->place == IN_BODY;

    multipart->place = AT_BOUNDARY;
    multipart->matched = 0;
    return !in_part || multipart->sink->end(multipart->baton);
}

/* Before the first boundary: nothing, or one line end. */
static int feed_start(trestle_multipart_t *multipart, const char **at, const char *end)
{
    for (; *at < end && multipart->place == AT_START; (*at)++) {
        if (multipart->matched == 2 && **at == '\r' && !multipart->led) {
            multipart->led = 1;
            multipart->matched = 1;
        } else if (**at != multipart->delimiter[multipart->matched++]) {
            return wrong(multipart, "The body does not begin with its boundary.");
        } else if (multipart->matched == multipart->delimiter_length && !take_delimiter(multipart)) {
            return 0;
        }
    }
    return 1;
}

/*
 * A part's data up to the delimiter. No byte of the delimiter but its first is a CR: after a mismatch the bytes that
 * had matched are data, whose text is that of the delimiter, and matching begins again at the byte at hand.
 */
static int feed_body(trestle_multipart_t *multipart, const char **at, const char *end)
{
    const trestle_multipart_sink_t *sink = multipart->sink;
    apr_size_t held;

    while (*at < end) {
        if (multipart->matched == 0) {
            const char *cr = memchr(*at, '\r', (apr_size_t)(end - *at)), *stop = cr ? cr : end;

            if (stop > *at && !sink->data(multipart->baton, *at, (apr_size_t)(stop - *at)))
                return 0;
            *at = cr ? cr + 1 : end;
            multipart->matched = cr != NULL;
        } else if (**at == multipart->delimiter[multipart->matched]) {
            ++*at;
            if (++multipart->matched == multipart->delimiter_length)
                return take_delimiter(multipart);
        } else {
            held = multipart->matched;
            multipart->matched = 0;
            if (!sink->data(multipart->baton, multipart->delimiter, held))
                return 0;
        }
    }
    return 1;
}

/* Behind the last boundary: at most one line end. */
static int feed_last_line(trestle_multipart_t *multipart, const char **at)
{
    char c = *(*at)++;

    if (multipart->matched > 1 || c != "\r\n"[multipart->matched++])
        return wrong(multipart, "Something follows the last boundary.");
    return 1;
}

int trestle_multipart_feed(trestle_multipart_t *multipart, const char *bytes, apr_size_t n)
{
    const char *at = bytes, *end = bytes + n;
    int ok = 1;

    while (ok && at < end) {
        switch (multipart->place) {
        case AT_START:
            ok = feed_start(multipart, &at, end);
            break;
        case IN_BODY:
            ok = feed_body(multipart, &at, end);
            break;
        case AT_BOUNDARY:
            ok = feed_boundary(multipart, &at);
            break;
        case IN_HEADER:
            ok = feed_header(multipart, &at, end);
            break;
        default:
            ok = feed_last_line(multipart, &at);
        }
    }
    return ok;
}

int trestle_multipart_end(trestle_multipart_t *multipart)
{
    if (multipart->place != AT_LAST_LINE || multipart->matched == 1)
        return wrong(multipart, "The body ends before its last boundary.");
    return 1;
}

const char *trestle_multipart_mistake(const trestle_multipart_t *multipart)
{
    return multipart->mistake;
}
