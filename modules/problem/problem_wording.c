#include "problem_wording.h"

#include <apr_strings.h>

problem_wording_t *problem_wording_make(apr_pool_t *pool, apr_hash_t **wordings, const char *key)
{
    problem_wording_t *wording;

    if (!*wordings)
        *wordings = apr_hash_make(pool);
    if (!(wording = apr_hash_get(*wordings, key, APR_HASH_KEY_STRING))) {
        wording = apr_pcalloc(pool, sizeof(*wording));
        apr_hash_set(*wordings, apr_pstrdup(pool, key), APR_HASH_KEY_STRING, wording);
    }
    return wording;
}

static void merge_texts(const char **merged, const char *const *base, const char *const *add)
{
    for (int i = 0; i < PROBLEM_WORDINGS; i++)
        merged[i] = add[i] ? add[i] : add[PROBLEM_ANY_LANGUAGE] ? NULL : base[i];
}

/* As apr_hash_merge calls it for a key that both have. */
static void *merge_wording(apr_pool_t *pool, const void *key, apr_ssize_t length, const void *add_value,
                           const void *base_value, const void *data)
{
    const problem_wording_t *base = base_value, *add = add_value;
    problem_wording_t *merged = apr_palloc(pool, sizeof(*merged));

    (void)key;
    (void)length;
    (void)data;
    merge_texts(merged->detail, base->detail, add->detail);
    merge_texts(merged->title, base->title, add->title);
    return merged;
}

apr_hash_t *problem_wordings_merge(apr_pool_t *pool, apr_hash_t *base, apr_hash_t *add)
{
    return base && add ? apr_hash_merge(pool, add, base, merge_wording, NULL) : add ? add : base;
}

const char *problem_wording_text(const char *const *texts, problem_language_e language, int *any)
{
    if (texts[language])
        return texts[language];
    if (texts[PROBLEM_ANY_LANGUAGE])
        *any = 1;
    return texts[PROBLEM_ANY_LANGUAGE];
}
