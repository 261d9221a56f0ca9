#include "identity_address.h"

#include <string.h>
#include <strings.h>

enum { LOCAL_MOST = 64, LABEL_MOST = 63, DOMAIN_MOST = 253 };

static const char BLANKS[] = " \t\r\n";

/* The text without blanks at its ends: its first byte and its length. */
static const char *trimmed(const char *text, size_t *n)
{
    text += strspn(text, BLANKS);
    *n = strlen(text);
    while (*n && strchr(BLANKS, text[*n - 1]))
        --*n;
    return text;
}

static int is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7F;
}

static int is_local_part(const char *text, size_t n)
{
    if (n < 1 || n > LOCAL_MOST || text[0] == '.' || text[n - 1] == '.')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (is_control(text[i]) || strchr(" \"(),:;<>@[\\]", text[i]) || (text[i] == '.' && text[i + 1] == '.'))
            return 0;
    return 1;
}

static int is_label(const char *text, size_t n)
{
    if (n < 1 || n > LABEL_MOST || text[0] == '-' || text[n - 1] == '-')
        return 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if (!(c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-'))
            return 0;
    }
    return 1;
}

static int is_domain(const char *text, size_t n)
{
    int labels = 0;

    if (n > DOMAIN_MOST)
        return 0;
    for (const char *end = text + n; text <= end; labels++) {
        const char *dot = memchr(text, '.', (size_t)(end - text));
        size_t length = (size_t)((dot ? dot : end) - text);

        if (!is_label(text, length))
            return 0;
        text += length + 1;
    }
    return labels > 1 || (n == 9 && !strncasecmp(text - n - 1, "localhost", n));
}

int identity_is_address(const char *text)
{
    size_t n;
    const char *at;

    text = trimmed(text, &n);
    at = memchr(text, '@', n);
    return at && is_local_part(text, (size_t)(at - text)) && is_domain(at + 1, n - (size_t)(at - text) - 1);
}

int identity_is_username(const char *text)
{
    size_t n;

    text = trimmed(text, &n);
    for (size_t i = 0; i < n; i++)
        if (is_control(text[i]) || text[i] == '@' || text[i] == ' ')
            return 0;
    return n > 0;
}

apr_size_t identity_characters(const char *text)
{
    apr_size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}
