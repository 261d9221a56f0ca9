#include "pg_pipeline.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

const char *pg_settings_statement(apr_pool_t *pool, int n)
{
    static const char head[] = "SELECT pg_catalog.num_nulls(", tail[] = ")";
    const apr_size_t each = sizeof(",pg_catalog.set_config($127,$128,true)");
    char *text = apr_palloc(pool, sizeof(head) + sizeof(tail) + (apr_size_t)n * each), *at = text;

    at = apr_cpystrn(at, head, sizeof(head));
    for (int i = 0; i < n; i++)
        at += apr_snprintf(at, each, "%spg_catalog.set_config($%d,$%d,true)", i ? "," : "", 2 * i + 1, 2 * i + 2);
    apr_cpystrn(at, tail, sizeof(tail));
    return text;
}

/* Past blanks, comments (they nest, as the server has it) and opening parentheses. */
static const char *skip_to_word(const char *sql)
{
    for (;;) {
        sql += strspn(sql, " \t\r\n\f\v(;");
        if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\r\n");
        } else if (sql[0] == '/' && sql[1] == '*') {
            int depth = 1;

            for (sql += 2; *sql && depth; sql++) {
                if (sql[0] == '*' && sql[1] == '/') {
                    depth--;
                    sql++;
                } else if (sql[0] == '/' && sql[1] == '*') {
                    depth++;
                    sql++;
                }
            }
        } else {
            return sql;
        }
    }
}

int pg_statement_is_forbidden(const char *sql)
{
    static const char *const words[] = { "BEGIN",     "START", "COMMIT",  "END",     "ROLLBACK", "ABORT",
                                         "SAVEPOINT", "COPY",  "PREPARE", "RELEASE", "CALL",     "DO" };
    const char *word = skip_to_word(sql);
    size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_");

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == n && !strncasecmp(words[i], word, n))
            return 1;
    return 0;
}
