#include "problem_language.h"

#include <string.h>
#include <strings.h>

static const char *const tags[PROBLEM_LANGUAGES] = { "en", "ko" };

const char *problem_language_tag(problem_language_e language)
{
    return tags[language];
}

problem_language_e problem_language_of(const char *tag)
{
    int i = 0;

    while (i < PROBLEM_LANGUAGES && strcmp(tag, tags[i]))
        i++;
    return (problem_language_e)i;
}

/* A weight in thousandths (RFC 9110 section 12.4.2: 0, 0.123, 1, 1.000), of the n bytes; -1 for anything else. */
static int weight_of(const char *s, size_t n)
{
    int weight, unit = 100;

    if (n == 0 || n > 5 || (*s != '0' && *s != '1') || (n > 1 && s[1] != '.'))
        return -1;
    weight = (*s - '0') * 1000;
    for (size_t i = 2; i < n; i++, unit /= 10) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        weight += (s[i] - '0') * unit;
    }
    return weight <= 1000 ? weight : -1;
}

/* The weight of an element "range;q=0.5" of n bytes, whose range is n_range bytes; -1 if it is malformed. */
static int weight_of_element(const char *s, size_t n, size_t n_range)
{
    size_t i = n_range + strspn(s + n_range, " \t");

    if (i >= n)
        return 1000;
    if (s[i++] != ';')
        return -1;
    i += strspn(s + i, " \t");
    if (i + 2 > n || (s[i] != 'q' && s[i] != 'Q') || s[i + 1] != '=')
        return -1;
    return weight_of(s + i + 2, n - i - 2);
}

/* 1 if a range of n bytes is the tag or begins with it and a hyphen. */
static int matches(const char *range, size_t n, const char *tag)
{
    size_t length = strlen(tag);

    return n >= length && !strncasecmp(range, tag, length) && (n == length || range[length] == '-');
}

problem_language_e problem_language_negotiate(const char *header, problem_language_e fallback)
{
    int weights[PROBLEM_LANGUAGES] = { -1, -1 }, positions[PROBLEM_LANGUAGES] = { 0, 0 };
    int any = -1, best = -1, position = 0;

    for (const char *s = header ? header : ""; *s; s += strcspn(s, ",")) {
        size_t n, range;
        int weight;

        s += strspn(s, ", \t");
        n = strcspn(s, ",");
        while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
            n--;
        range = strcspn(s, ";, \t");
        if (!n || (weight = weight_of_element(s, n, range)) < 0)
            continue;
        position++;
        if (range == 1 && *s == '*')
            any = weight;
        for (int i = 0; i < PROBLEM_LANGUAGES; i++)
            if (matches(s, range, tags[i]) && weight > weights[i]) {
                weights[i] = weight;
                positions[i] = position;
            }
    }
    for (int i = 0; i < PROBLEM_LANGUAGES; i++) {
        if (weights[i] < 0 && any >= 0) {
            weights[i] = any;
            /* Of the languages that only * accepts the fallback comes first, all behind those that are named. */
            positions[i] = position + (i == (int)fallback ? 1 : 2);
        }
        if (weights[i] > 0
            && (best < 0 || weights[i] > weights[best]
                || (weights[i] == weights[best] && positions[i] < positions[best])))
            best = i;
    }
    return best < 0 ? fallback : (problem_language_e)best;
}
