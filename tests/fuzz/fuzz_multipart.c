/*
 * multipart/form-data: the first byte says in what pieces the rest arrives, "--x" is the boundary. The parts must be the
 * same as in one piece, and writing them again and reading that must give them once more.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "multipart.h"
#include "rest/rest_form.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *pool;

/* Everything a reading has told, as one text; and the same parts as a body. */
typedef struct {
    trestle_text_t story;
    trestle_text_t body;
    int is_open;
} reading_t;

/* A name or file name between quotes, as trestle_parameters_next reads it. */
static void write_quoted(trestle_text_t *text, const char *value)
{
    trestle_text_addc(text, '"');
    for (; *value; value++) {
        if (*value == '"')
            trestle_text_addc(text, '\\');
        trestle_text_addc(text, *value);
    }
    trestle_text_addc(text, '"');
}

static int begin(void *baton, const trestle_part_t *part)
{
    reading_t *reading = baton;

    if (reading->is_open || !*part->name || !trestle_utf8_valid(part->name, strlen(part->name)))
        abort();
    reading->is_open = 1;
    trestle_text_addf(&reading->story, "begin %s|%s|%s\n", part->name, part->filename ? part->filename : "-",
                      part->type ? part->type : "-");
    trestle_text_adds(&reading->body, "--x\r\nContent-Disposition: form-data; name=");
    write_quoted(&reading->body, part->name);
    if (part->filename) {
        trestle_text_adds(&reading->body, "; filename=");
        write_quoted(&reading->body, part->filename);
    }
    if (part->type)
        trestle_text_addf(&reading->body, "\r\nContent-Type: %s", part->type);
    trestle_text_adds(&reading->body, "\r\n\r\n");
    return 1;
}

static int data(void *baton, const char *bytes, apr_size_t n)
{
    reading_t *reading = baton;

    if (!reading->is_open || n == 0)
        abort();
    trestle_text_add(&reading->story, bytes, n);
    trestle_text_add(&reading->body, bytes, n);
    return 1;
}

static int end(void *baton)
{
    reading_t *reading = baton;

    if (!reading->is_open)
        abort();
    reading->is_open = 0;
    trestle_text_adds(&reading->story, "\nend\n");
    trestle_text_adds(&reading->body, "\r\n");
    return 1;
}

/* Reads in pieces of the given size; 1 if the body is whole. */
static int parse(const char *text, size_t size, size_t piece, reading_t *reading)
{
    static const trestle_multipart_sink_t sink = { begin, data, end };
    trestle_multipart_t *multipart = trestle_multipart_make(pool, "x", &sink, reading);

    *reading = (reading_t){ trestle_text_make(pool, size), trestle_text_make(pool, size), 0 };
    for (size_t at = 0; at < size; at += piece)
        if (!trestle_multipart_feed(multipart, text + at, size - at < piece ? size - at : piece))
            return !trestle_multipart_mistake(multipart) ? (abort(), 0) : 0;
    return trestle_multipart_end(multipart);
}

static void run(const char *text, size_t size, size_t piece)
{
    reading_t whole, pieces, again;
    int ok = parse(text, size, size ? size : 1, &whole);
    apr_array_header_t *given = apr_array_make(pool, 4, sizeof(rest_given_t));
    rest_form_t *form = rest_form_make("x", 100, given);
    rest_fault_t fault = { 0 };

    if (ok != parse(text, size, piece, &pieces) || whole.story.length != pieces.story.length
        || memcmp(whole.story.bytes, pieces.story.bytes, whole.story.length))
        abort();
    if (ok) {
        trestle_text_adds(&whole.body, "--x--\r\n");
        if (!parse(whole.body.bytes, whole.body.length, whole.body.length, &again)
            || whole.story.length != again.story.length
            || memcmp(whole.story.bytes, again.story.bytes, whole.story.length))
            abort();
    }
    if (rest_form_feed(form, text, size, &fault) && rest_form_end(form, &fault)) {
        if (!ok)
            abort();
    } else if (fault.status != 400 && fault.status != 415) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data_, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    if (!pool) {
        apr_initialize();
        if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
            return 0;
    }
    /* On the heap, without a NUL behind it, so that a read past its end is seen. */
    text = malloc(size);
    memcpy(text, data_ + 1, size - 1);
    run(text, size - 1, (size_t)data_[0] % 64 + 1);
    free(text);
    apr_pool_clear(pool);
    return 0;
}
